"""``modeler calibrate``: constants of a start from measurements."""

from __future__ import annotations

import os
from statistics import median
from typing import Any, Final

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk, write_atomic

_COLUMNS: Final = {
    "name": "constant",
    "value": "value",
    "unit": "unit",
    "rows": "rows",
    "sources": "sources",
    "spread": "spread",
    "published": "published",
    "held": "held",
}


@click.command("calibrate")
@click.argument("measurements", required=False, type=click.Path(dir_okay=False))
@click.option(
    "--write",
    "constants_file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the constants to FILE, for cold_start.constants of a scenario.",
)
@output_options()
def command(
    measurements: str | None, constants_file: str | None, format: str, output: str | None
) -> None:
    """Fit the constants of a start to measured phases, and say how well they predict.

    MEASUREMENTS is a CSV with phase and seconds, and as far as known model, params_b, artifact_gb,
    instance_type, medium, loader, condition and source; without one, the published table. What its
    rows do not tell is held at the published value. The error beside each law is of rows predicted
    without their own source; a single source cannot be checked so, and is checked against the
    published constants instead.

    In Python: modeler.predict.calibration.Calibration(read_measurements(FILE)).
    """
    from modeler.predict.calibration import (
        Calibration,
        cross_validated,
        published,
        read_measurements,
        shipped,
    )
    from modeler.predict.calibration.constants_file import to_dict
    from modeler.predict.calibration.fit import UNITS

    check_output(output)
    check_output(constants_file)
    rows = shipped() if measurements is None else read_measurements(measurements)
    own = published() if measurements is None else Calibration(rows)
    base = {(c.law, c.key): c for c in published().constants()}
    told = own.constants()
    keys = {(c.law, c.key) for c in told}
    table: list[dict[str, Any]] = []
    for one in (*told, *(c for key, c in base.items() if key not in keys)):
        held = (one.law, one.key) not in keys
        known = base.get((one.law, one.key))
        table.append(
            {
                "name": one.name,
                "law": one.law,
                "value": one.value,
                "unit": UNITS[one.law],
                "rows": 0 if held else one.rows,
                "sources": 0 if held else one.sources,
                "spread": None if held or one.sources < 2 else one.spread,
                "published": None if known is None else known.value,
                "held": held,
            }
        )
    several = len({m.source for m in rows}) > 1
    checked = cross_validated(rows, own if several else published())
    errors = [
        abs(got / m.seconds - 1.0) for m, got, _ in checked if got is not None and m.seconds > 0.0
    ]
    missing = [f"{m.id}: {why}" for m, got, why in checked if got is None]
    by = "without its source" if several else "by the published constants"
    result = {
        "schema": "calibrate/1",
        "measurements": os.fspath(measurements) if measurements else "published",
        "constants": table,
        "checked": {
            "rows": len(errors),
            "of": len(rows),
            "predicted": by,
            "median_abs_error_pct": 100.0 * median(errors) if errors else None,
            "out_of_scope": missing,
        },
    }
    if constants_file is not None:
        import json

        source = os.path.basename(measurements) if measurements else "published measurements"
        write_atomic(constants_file, json.dumps(to_dict(own, source), indent=1) + "\n")
    emit(result, format=format, output=output, table=table, columns=_COLUMNS)
    if errors:
        talk(
            f"{len(errors)} of {len(rows)} rows predicted {by}: median error "
            f"{100.0 * median(errors):.0f} %"
        )
    if missing:
        talk(f"{len(missing)} rows are out of scope (--format json names what each lacks)")
    if constants_file is not None:
        talk(f"wrote {constants_file}: cold_start: {{constants: {constants_file}}}")
