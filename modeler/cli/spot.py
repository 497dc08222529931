"""``modeler spot``: how much of the capacity to buy on spot."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.figure import draw_to, figure_option
from modeler.cli.options import DURATION, USD, output_options, split_list
from modeler.cli.output import check_output, emit, talk
from modeler.cli.study_options import (
    advise,
    lab_of,
    leave,
    penalty_option,
    replicates_option,
    study_options,
)

_COLUMNS = {
    "name": "bought",
    "reclaims_per_hour": "reclaims/h",
    "reload_s": "start s",
    "usd_per_hour": "USD/h",
    "usd_per_hour_with_penalty": "with penalties",
    "saved_usd_per_hour": "saved USD/h",
    "saved_usd_per_hour_low": "from",
    "saved_usd_per_hour_high": "to",
    "sla_violation_share": "missed share",
    "missed_share_more": "more than on demand",
    "missed_share_more_low": "from ",
    "missed_share_more_high": "to ",
    "keeps_level": "keeps level",
    "on_demand_from_usd_per_miss": "on demand from USD/miss",
    "best": "best",
    "error": "error",
}
_OF_REPLICATES = tuple(name for name in _COLUMNS if name.startswith(("saved_", "missed_share_")))


@click.command("spot")
@study_options()
@click.option(
    "--shares",
    metavar="SHARES",
    callback=split_list,
    default="0,0.25,0.5,0.75,1",
    show_default=True,
    help="Of the traffic that goes to a group on spot.",
)
@click.option(
    "--reclaims",
    metavar="RATES",
    callback=split_list,
    help="How often an instance is taken back: times an hour (0.05), or a band of the Spot "
    "instance advisor (5-10%); by default as the scenario's weather, else 5-10% and 0.05.",
)
@click.option(
    "--reload",
    "reloads",
    metavar="TIMES",
    callback=split_list,
    help="Times of a start, e.g. 1m,5m; by default the scenario's own.",
)
@click.option(
    "--short",
    "short_s",
    type=DURATION,
    metavar="TIME",
    default="1h",
    show_default=True,
    help="How long spot is not to be had at all, about the busiest time; 0s for never.",
)
@click.option("--spot-price", type=USD, metavar="USD", help="Of spot an hour, e.g. $0.51.")
@penalty_option
@replicates_option("Put 95 % intervals about each share and what it saves")
@figure_option
@output_options(parquet=True)
def command(
    shares: tuple[str, ...],
    reclaims: tuple[str, ...] | None,
    reloads: tuple[str, ...] | None,
    short_s: float,
    spot_price: float | None,
    penalty: float | None,
    replicates: int | None,
    figure: str | None,
    format: str,
    output: str | None,
    **asked: Any,
) -> None:
    """Weigh spot against on demand: dollars and misses over the share on spot, under reclaims.

    A share is two groups behind a weighted router, each with its part of the traffic and of the
    bounds; beside them one group on spot that asks for on-demand instances while spot is short.

    \b
    modeler spot mine.yaml --reclaims 5-10%,0.05 --reload 1m,10m --penalty $0.002
    modeler spot mine.yaml --spot-price $0.51 --replicates 40
    modeler spot --set hosting.kind=ec2_asg --set hosting.allow_derived_price=true

    In Python: modeler.study.spot(Lab(SCENARIO)).
    """
    from modeler.cli.progress import compiling

    with compiling():
        from modeler.report.studies import spot as drawing
        from modeler.scenario.units import parse_duration
        from modeler.scenario.weather import BANDS
        from modeler.study import spot
        from modeler.study.spot import reclaims_of

    check_output(output)

    def rate_of(text: str) -> float:
        return reclaims_of(text) if text in BANDS else _number(text, "--reclaims", tuple(BANDS))

    with lab_of(**asked) as (lab, varied):
        if varied:
            raise click.UsageError(f"{next(iter(varied))} has several values; use sweep")
        found = spot(
            lab,
            shares=[_number(one, "--shares") for one in shares],
            reclaims_per_hour=[rate_of(one) for one in reclaims or ()],
            reloads_s=[parse_duration(one) for one in reloads or ()] or (None,),
            short_s=short_s,
            penalty_usd=penalty or 0.0,
            spot_usd_per_hour=spot_price,
            replicates=replicates or 0,
        )
    draw_to(figure, drawing.draw, found)
    plain = found.to_dict()
    columns = {
        key: name for key, name in _COLUMNS.items() if replicates or key not in _OF_REPLICATES
    }
    if all(row["error"] is None for row in found.rows):
        del columns["error"]
    emit(plain, format=format, output=output, table=plain["rows"], columns=columns)
    for note in found.notes:
        talk(f"warning: {note}")
    advise(found.sentence())
    leave(found.rows)


def _number(text: str, option: str, others: tuple[str, ...] = ()) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        expected = " or ".join(["a number of 0 or more", *others])
        raise click.BadParameter(f"{text}: expected {expected}", param_hint=option)
    return value
