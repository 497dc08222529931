"""``modeler reprice``: other prices on a finished run."""

from __future__ import annotations

from typing import Any

import click

from modeler.cli.options import output_options, region_option
from modeler.cli.output import check_output, emit, talk


@click.command("reprice")
@click.argument("run", metavar="RUN", type=click.Path(dir_okay=False))
@click.option("--as-of", metavar="YYYY-MM-DD", help="Prices as they were read up to this day.")
@region_option
@click.option("--purchase", type=click.Choice(["on-demand", "spot"]), help="Another purchase.")
@click.option(
    "--usd-per-hour",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Your own price of each instance. [USD/h]",
)
@click.option("--allow-derived", is_flag=True, help="Estimate where no price is quoted; labelled.")
@output_options()
def command(
    run: str,
    as_of: str | None,
    region: str | None,
    purchase: str | None,
    usd_per_hour: float | None,
    allow_derived: bool,
    format: str,
    output: str | None,
) -> None:
    """Apply other prices to RUN without replaying it: its quantities at prices of another day.

    RUN is what replay or sweep wrote with --format json. Without options the tables' latest prices
    are applied. What no other price is held for keeps its own, and is named. Another region or
    purchase is billed as if the fleet had been the same there.

    \b
    modeler replay scenario.yaml --format json -o run.json
    modeler reprice run.json --as-of 2025-05-01

    In Python: modeler.study.reprice.reprice(OUTCOME, Asked(as_of="2025-05-01")).
    """
    from modeler.study.reprice import Asked, read_run, reprice, total_usd

    check_output(output)
    asked = Asked(as_of, region, purchase, usd_per_hour, allow_derived)
    outcomes = read_run(run)
    bills = [(outcome, reprice(outcome, asked)) for outcome in outcomes]
    rows: list[dict[str, Any]] = []
    for outcome, lines in bills:
        old, new = total_usd(lines)
        rows.append(
            {
                "scenario_id": outcome["scenario_id"],
                "size_bytes": outcome["size_bytes"],
                "policy": outcome["policy"],
                "old_usd": old,
                "new_usd": new,
                "change_usd": new - old,
                "change_pct": 100.0 * (new / old - 1.0) if old else None,
            }
        )
    every = [line.to_dict() for _, lines in bills for line in lines]
    result = {"schema": "reprice/1", "run": run, "totals": rows, "lines": every}
    shown = every if len(bills) == 1 else rows
    columns = _LINE if len(bills) == 1 else list(rows[0])
    emit(result, format=format, output=output, table=shown, columns=columns)
    for line in {(one["component"], one["kept"]): one for one in every if one["kept"]}.values():
        talk(f"{line['component']} keeps its price: {line['kept']}")
    for said in dict.fromkeys(
        f"as of {line['as_of']}: {line['source']}" if line["as_of"] else line["source"]
        for line in every
        if not line["kept"]
    ):
        talk(f"priced {said}")
    if len(rows) == 1:
        row = rows[0]
        talk(f"${row['old_usd']:,.2f} becomes ${row['new_usd']:,.2f} ({row['change_usd']:+,.2f})")


_LINE = [
    "component", "quantity", "unit", "old_price", "new_price", "old_usd", "new_usd", "kept",
]  # fmt: skip
