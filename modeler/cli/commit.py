"""``modeler commit``: what to buy in advance, against the load of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import output_options, scenario_options, split_list
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import advise, replicates_option

if TYPE_CHECKING:
    from modeler.scenario import Scenario


@click.command("commit")
@scenario_options
@click.option(
    "--discount",
    "discounts",
    metavar="SHARE[,SHARE]",
    callback=split_list,
    help="Off the price on demand, as your quote has it, e.g. 28%,44%. By default those of the "
    "plan's rates that prices refresh read.",
)
@click.option(
    "--plan",
    type=click.Choice(["sagemaker", "compute", "ec2_instance", "reserved"]),
    help="By default the Savings Plan that covers the hosting.",
)
@replicates_option("Put a 95 % interval about what each commitment saves")
@figure_option
@output_options()
def command(
    discounts: tuple[str, ...] | None,
    plan: str | None,
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Find the hourly commitment that costs least, and what it loses if traffic is another.

    Replays the scenario and sets its billed instances, hour by hour, against a Savings Plan or
    reserved instances at your discount: a commitment is paid every hour, used or not, and pays for
    the instances that more than one minus the discount of all hours need. regret is what it costs
    above the best commitment if the traffic is a fifth lower, or higher: both are replayed. The
    traffic stands for the whole term. No discount is shipped, for each depends on type, term and
    payment: give that of your quote, or read the rates of Savings Plans with prices refresh.

    In Python: modeler.study.commit(modeler.study.replay(SCENARIO).run, [0.28, 0.44]).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.cli.progress import shown as progress
        from modeler.cli.scenario import one_scenario
        from modeler.report.studies import commitment
        from modeler.study import Status, replay
        from modeler.study.commit import PLANS, load_of
        from modeler.study.committed import commit

    check_output(output)
    shares = [_share(text) for text in discounts or ()]
    scenario = one_scenario("commit", **asked)
    done = replay(scenario).run
    load, chosen = load_of(done, plan)
    shares = shares or _of_rates(scenario, chosen, load.usd_per_hour)
    count, size = replicates or 0, done.trace.requests
    with progress() as show:
        committed = commit(
            done,
            shares,
            chosen,
            replicates=count,
            progress=lambda made: show(Status(made * size, count * size, made, count)),
        )
    report = committed.to_dict()
    found = report["commitments"]
    draw_to(figure, commitment.draw, committed)
    shown = [
        {
            "discount": f"{100 * row['discount']:g} %",
            "instances": f"{row['instances']:.3g}",
            "commit $/h": f"{row['usd_per_hour']:.3f}",
            "used": f"{100 * row['used_share']:.1f} %",
            "covers": f"{100 * row['covered_share']:.1f} %",
            "$ total": f"{row['usd_total']:,.2f}",
            "saves $": f"{row['saved_usd']:,.2f}",
            **(_ends(row) if replicates else {}),
            "regret $, traffic -20 %": f"{row['regret_less_usd']:,.2f}",
            "regret $, traffic +20 %": f"{row['regret_more_usd']:,.2f}",
        }
        for row in found
    ]
    emit(report, format=format, output=output, table=shown if format == "table" else found)
    talk(
        f"{PLANS[chosen][2]}; on demand ${load.cost_usd(0.0, 0.5):,.2f} for "
        f"{report['instance_hours']:,.1f} instance-hours in {report['hours']:,.1f} hours of "
        f"{scenario.hosting.instance} at ${load.usd_per_hour:.4g}; such hours are taken to go on"
    )
    advise(committed.sentence())


def _of_rates(scenario: Scenario, plan: str, usd_per_hour: float) -> list[float]:
    """Discounts of the plan's rates that are held, each said with its term, payment and day."""
    from pricing import plan_rates

    hosting = scenario.hosting
    found = plan_rates(hosting.instance, hosting.region, plan)
    if not found:
        raise click.UsageError(
            f"no rate of a plan ({plan}) is held for {hosting.instance} in {hosting.region}: give "
            "--discount, or read them with prices refresh"
        )
    shares = set()
    for one in found:
        share = 1.0 - float(one.usd_per_hour) / usd_per_hour
        shares.add(round(share, 6))
        talk(
            f"{100 * share:.1f} %: {one.term_years} y, {one.payment.replace('_', ' ')}, "
            f"${one.usd_per_hour} an hour, {one.as_of}: {one.source}"
        )
    return sorted(share for share in shares if share > 0.0)


def _ends(row: dict[str, Any]) -> dict[str, str]:
    """The interval of what a commitment saves, for the table."""
    low, high = row["saved_usd_low"], row["saved_usd_high"]
    return {"95 %": "" if low is None else f"{low:,.2f} to {high:,.2f}"}


def _share(text: str) -> float:
    """``28%`` or ``0.28``."""
    number = text.strip().removesuffix("%").strip()
    try:
        value = float(number)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no share: expected e.g. 28% or 0.28", param_hint="--discount"
        ) from None
    return value / 100.0 if text.strip().endswith("%") else value
