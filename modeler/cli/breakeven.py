"""``modeler breakeven``: from zero, kept warm, by the request or by the token, over the rate."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.numbers import numbers
from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import advise, lab_of, leave, replicates_option, study_options


@click.command("breakeven")
@study_options()
@click.option(
    "--rates",
    metavar="R1,R2,..",
    callback=numbers("rps", "/s"),
    help="Request rates, as 0.01rps,0.1rps; by default from a thousandth of the traffic's own to "
    "three times it. Its own is always one.",
)
@click.option(
    "--modes",
    metavar="M1,M2,..",
    default="",
    help="scale-to-zero, min-1, min-2 and so on, serverless (SageMaker's), lambda, async, "
    "provisioned-concurrency, token-api; by default all that can be.",
)
@click.option(
    "--burstiness",
    metavar="CV,..",
    callback=numbers(),
    help="Gaps of these coefficients of variation at an even rate (1 is a Poisson process), "
    "instead of the traffic's own shape.",
)
@click.option(
    "--token-api",
    metavar="API",
    help="What token-api is billed by: a name, or dollars per million tokens as 0.15/0.60.",
)
@replicates_option(
    "Put 95 % intervals about dollars and about where the cheapest changes", default=10, least=10
)
@click.option(
    "--hours",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Only so many hours; with --burstiness the length of what is drawn.",
)
@figure_option
@output_options(parquet=True)
def command(
    rates: tuple[float, ...],
    modes: str,
    burstiness: tuple[float, ...],
    token_api: str | None,
    replicates: int,
    hours: float | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Dollars a month over the request rate: scale to zero, keep warm, or pay by the request.

    Your own traffic is thinned or copied to each rate and replayed in every mode. Says where one
    becomes cheaper than another, with its 95 % band, and how far your own rate is from there.

    \b
    modeler breakeven --rates 0.01rps,0.1rps,1rps --hours 24
    modeler breakeven scenario.yaml --modes scale-to-zero,min-1 --burstiness 1,4 --figure b.svg

    In Python: modeler.study.breakeven(Lab(SCENARIO), [0.01, 0.1, 1.0]).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import breakeven as drawing
        from modeler.study import breakeven
        from modeler.study.breakeven_words import rounded

    check_output(output)
    if token_api is not None:
        asked["settings"] = {**asked["settings"], "token_api": (token_api,)}
    names = tuple(name.strip() for name in modes.split(",") if name.strip())
    with lab_of(**asked) as (lab, varied):
        if varied:
            raise click.UsageError(f"--set {next(iter(varied))}: one value, not several")
        found = breakeven(
            lab,
            rates,
            modes=names,
            burstiness=burstiness,
            replicates=replicates,
            hours=hours,
        )
    draw_to(figure, drawing.draw, found)
    emit(found.to_dict(), format=format, output=output, table=list(found.rows))
    for one in found.crossings:
        talk(
            f"{one['below']} below {rounded(one['requests_per_hour'])} requests an hour, "
            f"{one['above']} above"
            + ("" if one["cheapest"] else " (a third costs less there)")
            + (f"; no interval: {one['band_note']}" if one["band_note"] else "")
        )
    for mode, note in found.notes.items():
        talk(f"note: {mode}: {note}")
    advise(found.sentence())
    # A way to serve that is not possible here is an answer; where none is, there is no answer.
    leave([] if any(row["status"] == "ok" for row in found.rows) else found.rows)
