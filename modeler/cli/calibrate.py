"""``modeler calibrate``: constants of a start from measurements."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from math import exp
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk, write_atomic

if TYPE_CHECKING:
    from modeler.predict.calibration import Fitted, Measurement

_COLUMNS: Final = {
    "name": "constant",
    "value": "value",
    "unit": "unit",
    "rows": "rows",
    "sources": "sources",
    "low": "low",
    "high": "high",
    "published": "published",
    "held": "held",
    "setting": "setting",
}


_SHOWN: Final = 10
_WIDE: Final = 0.4  # of the logarithm: half as much again


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

    MEASUREMENTS is a CSV with phase and seconds, and as far as known system (the hosting's kind, or
    empty for your own), model, params_b, artifact_gb, instance_type, medium, loader, condition and
    source; docs/measurements.md lists the words. Without one, the published table. What its rows do
    not tell is held at the published value. low and high bound the constant (95 %, by the spread
    of sources or, of a single one, of its rows). Rows are predicted without their own source; those
    of a single source by the published constants instead.

    In Python: modeler.predict.calibration.Calibration(read_measurements(FILE)).
    """
    from modeler.predict.calibration import (
        Calibration,
        MeasurementsError,
        check_rows,
        cross_validated,
        published,
        read_measurements,
        shipped,
    )
    from modeler.predict.calibration.constants_file import to_dict
    from modeler.predict.calibration.fit import UNITS
    from modeler.predict.calibration.settings import used_by

    check_output(output)
    check_output(constants_file)
    rows = shipped() if measurements is None else read_measurements(measurements)
    if measurements is not None:
        check_rows(rows)
    own = published() if measurements is None else Calibration(rows)
    base = {(c.law, c.key): c for c in published().constants()}
    told = own.constants()
    settings = used_by(rows)
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
                "low": None if held else one.low,
                "high": None if held else one.high,
                "spread_log": None if held or one.low is None else one.spread,
                "published": None if known is None else known.value,
                "held": held,
                "setting": ", ".join(settings.get(one.name, ())) if not held else "",
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
            "rows": len(rows) - len(missing),
            "of": len(rows),
            "predicted": by,
            "median_abs_error_pct": 100.0 * median(errors) if errors else None,
            "out_of_scope": missing,
        },
    }
    if constants_file is not None and settings:
        # Before the table is printed: a reader that closes the pipe early has its file.
        source = os.path.basename(measurements) if measurements else "published measurements"
        content = json.dumps(to_dict(rows, source), indent=1) + "\n"
        write_atomic(constants_file, content)
    shown = [row for row in table if not row["held"]] if format == "table" else table
    emit(result, format=format, output=output, table=shown, columns=_COLUMNS)
    if len(shown) < len(table):
        talk(
            f"{len(table) - len(shown)} constants that no row tells are held at the published "
            "value (--format csv lists them)"
        )
    if errors:
        talk(
            f"{len(rows) - len(missing)} of {len(rows)} rows predicted {by}: median error "
            f"{100.0 * median(errors):.0f} %"
        )
    for line in missing[:_SHOWN] if measurements is not None else ():
        talk(f"out of scope: {line}")
    if len(missing) > _SHOWN or (missing and measurements is None):
        talk(f"{len(missing)} rows are out of scope (--format json names what each lacks)")
    if measurements is not None:
        _tell_own(measurements, rows, told, settings)
    for one in told:
        if one.sources == 1 and one.rows > 1 and one.spread > _WIDE:
            talk(
                f"{one.name}: its {one.rows} rows differ by a factor of {exp(one.spread):.1f} "
                "(one standard deviation); the constant is their geometric mean"
            )
    if constants_file is not None:
        if not settings:
            raise MeasurementsError(
                [
                    f"{measurements or 'published measurements'}: no row tells a setting of a "
                    f"start, so {constants_file} was not written; docs/measurements.md lists the "
                    "words that do"
                ]
            )
        talk(f"wrote {constants_file}: cold_start: {{constants: {constants_file}}}")


def _tell_own(
    path: str, rows: Sequence[Measurement], told: Sequence[Fitted], settings: Mapping[str, Any]
) -> None:
    """What of an analyst's own rows says nothing, looks wrong, or reaches no setting."""
    from modeler.predict.calibration import (
        far_from_published,
        published,
        unknown_columns,
        unknown_systems,
    )
    from modeler.predict.calibration.settings import gaps_left

    if unknown := unknown_columns(path):
        talk(f"columns that tell nothing here: {', '.join(unknown)}")
    for line in far_from_published(told, published().constants()):
        talk(f"warning: {line}")
    if unused := [one.name for one in told if one.name not in settings]:
        talk(
            f"fitted, and no setting of a start takes it: {', '.join(unused)}; "
            "docs/measurements.md says which words do"
        )
    for place, gap_s in gaps_left(rows):
        talk(
            f"{place}: cold_start.gap_s adds {gap_s:g} s that the published start leaves to no "
            "phase; set it to 0 where your phases add up to the whole"
        )
    if systems := unknown_systems(rows):
        talk(f"no hosting is known by system {', '.join(systems)}: what it took sets none")
