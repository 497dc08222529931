"""``modeler export``: the policy of a scenario as a file of its platform."""

from __future__ import annotations

from typing import Any, Final

import click

from modeler.cli.options import policy_option, set_option
from modeler.cli.output import check_output, deliver, talk

_FORMS: Final = ("terraform", "cloudformation", "boto3-json", "hpa", "keda", "knative")


@click.command("export")
@click.argument("scenario_file", metavar="[SCENARIO]", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMS),
    required=True,
    help="The form of the file.",
)
@policy_option
@set_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=None,
    help="Write to FILE in one step instead of stdout ('-').",
)
def command(
    scenario_file: str | None,
    form: str,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    output: str | None,
) -> None:
    """Write the policy of a scenario in its platform's own words.

    What the scenario leaves to a rule, such as a target that follows from the traffic, is written
    as the number it comes to. Names of what is scaled and of its metrics are placeholders. What the
    file cannot say (traffic, model, cold start) stands in a comment on top; for JSON it goes to
    stderr. --policy FILE reads such a file back.

    \b
    modeler export scenario.yaml --as keda -o scaledobject.yaml
    modeler export scenario.yaml --as terraform --set policy.target=60

    In Python: modeler.platforms.export(modeler.scenario.load(FILE), "keda").
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.cli.scenario import scenario_of
        from modeler.platforms.writers import exported
        from modeler.scenario import with_values

    check_output(output)
    several = [path for path, values in settings.items() if len(values) > 1]
    if several:
        raise click.UsageError(f"export writes one scenario: {several[0]} has several values")
    scenario = scenario_of(scenario_file, settings=settings, policies=policies)
    pinned: dict[str, Any] = {path: values[0] for path, values in settings.items()}
    pinned |= {"sweep": {}} if scenario.sweep else {}
    ignored = [path for path in scenario.sweep if path not in pinned]
    if ignored:
        talk(f"sweep: {', '.join(ignored)} not varied: export writes one scenario")
    scenario = with_values(scenario, pinned) if pinned else scenario
    done = exported(scenario, form)
    deliver(done.text, output)
    for note in done.notes:
        talk(note)
