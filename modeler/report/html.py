"""The report page: one HTML file that opens from disk, prints, and needs no network.

Figures stand in it as SVG, the whole result as JSON. Numbers are ``<data>`` elements whose value
is the JSON's own, so that a reader, or a program, can hold one against the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from modeler.report import numbers, view
from modeler.report.figures import inline_svg
from modeler.report.table import stale_notes
from modeler.report.view import Result, Row

_HTML_UNSAFE = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def page(result: Result, timeline: Mapping[str, Any] | None = None) -> str:
    """The whole page as text.

    Parameters
    ----------
    result : mapping. A sweep, schema ``sweep/1``. Prices older than 90 days on the day
        ``run.as_of_today`` are warned about; without that key nothing is said of their age.
    timeline : mapping, optional. Load and fleet over time of one scenario.

    Returns
    -------
    str
        HTML; the same for the same input, on any day.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(_filters())
    source = files("modeler.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    best = view.best(result)
    return environment.from_string(source).render(
        result=result,
        run=result["run"],
        best=best,
        best_name=view.scenario_name(result, best) if best else None,
        promise=view.promise(best) if best else None,
        reference=_reference(result, best) if best else None,
        finished=view.finished(result["scenarios"]),
        references=view.finished(result["references"]),
        paths=view.varied(result),
        phases=_phases(result),
        bounds=view.bounds(result),
        prices=view.prices(result),
        assumptions=view.assumptions(result),
        warnings=[*stale_notes(result), *view.notes(result)],
        figures={name: Markup(svg) for name, svg in inline_svg(result, timeline).items()},
        timeline=timeline,
        data=Markup(json_for_script({"result": result, "timeline": timeline})),
        view=view,
    )


def json_for_script(plain: Any) -> str:
    """JSON that cannot end the script element it stands in.

    >>> json_for_script({"a": "</script><!--"})
    '{"a": "\\\\u003c/script\\\\u003e\\\\u003c!--"}'
    """
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    return text.translate(_HTML_UNSAFE)


def _filters() -> dict[str, Callable[[Any], Any]]:
    written: dict[str, Callable[[Any], str]] = {
        "usd": numbers.dollars,
        "unit_usd": numbers.unit_price,
        "percent": numbers.percent,
        "seconds": numbers.duration,
        "count": numbers.count,
        "ratio": numbers.ratio,
        "bytes": numbers.size,
        "hours": lambda hours: numbers.DASH if hours is None else f"{hours:,.2f}",
        "rate": numbers.rate,
        "moment": numbers.moment,
    }
    filters: dict[str, Callable[[Any], Any]] = {
        name: partial(_data, write) for name, write in written.items()
    }
    filters["plain"] = _plain
    filters["values"] = _values
    filters["words"] = lambda name: str(name).replace("_", " ")
    return filters


def _data(write: Callable[[Any], str], value: Any) -> Markup:
    """A number with the JSON's own value behind it; nothing is a dash."""
    shown = write(value)
    if value is None:
        return Markup('<span class="none">{}</span>').format(shown)
    return Markup('<data value="{}">{}</data>').format(json.dumps(value), shown)


def _plain(value: Any) -> Markup | str:
    """A setting's value: a number as data, anything else as escaped text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _data(numbers.plain, value)
    return numbers.plain(value)


def _values(values: list[Any]) -> Markup:
    return Markup(" / ").join(_plain(value) for value in values)


def _phases(result: Result) -> list[str]:
    """Every phase of a cold start that takes time in some row, in order."""
    found: dict[str, None] = {}
    for row in view.finished(result["scenarios"]):
        for phase, times in (row["decision_to_ready_s"].get("phases") or {}).items():
            if times["p95"]:
                found.setdefault(phase)
    return list(found)


def _reference(result: Result, best: Row) -> Row | None:
    """The fixed fleet of the same size and setting, if it keeps the service level."""
    for row in view.finished(result["references"]):
        same = all(best["settings"].get(path) == value for path, value in row["settings"].items())
        if same and row["size_bytes"] == best["size_bytes"] and row["meets_sla"]:
            return row
    return None
