"""The sweep as text: aligned columns for a terminal, a pipe or a log.

Columns that do not fit the width continue in a further block which repeats the first columns, so
that nothing is cut off. Colour only marks what a sign says too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from modeler.report import numbers, view
from modeler.report.layout import Layout, Line
from modeler.report.terminal import PIPE_WIDTH, Paint, clean, painter, to_ascii
from modeler.report.view import Bound, Result, Row
from modeler.study.level import BREAKS, KEEPS, UNSURE, level_of
from modeler.study.replicates import count_of, kept_band
from pricing.tables import age_warning

_LONG = 24  # characters of a setting's value
# Sign and colour of how a row stands to the service level.
_MARKS = {KEEPS: ("✓", "good"), BREAKS: ("✗", "bad"), UNSURE: ("?", "")}


@dataclass(frozen=True)
class _Column:
    """A column: its heading's lines, its text for a row and for a bound, its colour."""

    head: tuple[str, ...]
    row: Callable[[Row], str]
    bound: Callable[[Bound], str] = lambda bound: ""
    left: bool = False
    ink: Callable[[Row], str] = lambda row: ""


def sweep_table(
    result: Result, *, width: int = PIPE_WIDTH, color: bool = False, unicode: bool = True
) -> str:
    """The table an analyst decides from, with verdict, references, bounds and price dates.

    Parameters
    ----------
    result : mapping. A sweep as `SweepResult.to_dict` gives it, schema ``sweep/1``.
    width : int. Cells of a line. [characters]
    color : bool. Mark good, bad and lesser lines with ANSI colours.
    unicode : bool. False writes ASCII only.

    Returns
    -------
    str
        Lines of at most `width` cells, as far as single words allow; a newline at the end.

    See `look_of` for the three settings of a stream.
    """
    paint = painter(color)
    columns = _columns(result)
    own = [_line(columns, row) for row in result["scenarios"]]
    others = [_line(columns, row, "dim") for row in result["references"]]
    for bound in view.bounds(result):
        cells = tuple(column.bound(bound) for column in columns)
        others.append(Line(cells, ("dim",) * len(cells)))
    layout = Layout(
        heads=[column.head for column in columns],
        lefts=[column.left for column in columns],
        keys=_keys(columns),
        lines=[*own, *others],
        width=width,
    )
    parts = [
        *_head(result, width, paint),
        "",
        *layout.blocks(own, others, paint),
        "",
        *_foot(result, width, paint),
    ]
    text = "\n".join(line.rstrip() for line in parts) + "\n"
    return text if unicode else to_ascii(text)


def _head(result: Result, width: int, paint: Paint) -> Iterable[str]:
    yield from (paint(line, "bold") for line in _wrap(result["verdict"], width))
    about = view.traffic(result)
    best = view.best(result)
    if best is not None:
        about += f" · {best['region']} · {view.promise(best)} · {view.serving(result)}"
    yield from (paint(line, "dim") for line in _wrap(about, width))


def _columns(result: Result) -> list[_Column]:
    """The columns of this sweep; the first ones name the row."""
    paths = view.varied(result)
    return [
        _Column(
            ("", "", "size"),
            lambda row: (
                f"{'◆' if row['pareto'] and 'label' not in row else ' '} "
                f"{numbers.size(row['size_bytes']):>6}"
            ),
            lambda bound: f"  {numbers.size(bound.row['size_bytes']):>6}",
            left=True,
        ),
        _Column(("", "", "policy"), view.policy_name, lambda bound: bound.name, left=True),
        *(_setting_column(path) for path in paths),
        _Column(
            ("", "", "$/h"),
            lambda row: _money(row["usd_per_hour"]),
            lambda bound: _money(bound.usd_per_hour),
        ),
        *_band_column(result, "usd_per_hour", ("95 %", "interval", "$/h"), _money),
        _Column(
            ("", "", "$ total"),
            lambda row: _money(row["usd_total"]),
            lambda bound: _money(bound.usd_total),
        ),
        _Column(
            ("$ per", "1,000", "reqs"),
            lambda row: _money(row["usd_per_1k_requests"]),
            lambda bound: _money(bound.usd_per_1k_requests),
        ),
        _Column(
            ("", "× work", "bound"),
            lambda row: numbers.ratio(view.over_work(row)),
            lambda bound: numbers.ratio(_bound_ratio(bound)),
        ),
        *_zero_wait_column(result),
        _Column(
            ("", "SLA", "misses"),
            lambda row: (
                f"{_MARKS[level_of(row)][0]} {numbers.percent(row['sla_violation_share']):>7}"
            ),
            ink=lambda row: _MARKS[level_of(row)][1],
        ),
        *_band_column(
            result, "sla_violation_share", ("95 %", "interval", "misses"), numbers.percent
        ),
        _Column(("breach", "to ready", "p50/p95"), lambda row: _pair(row["breach_to_ready_s"])),
        _Column(("decision", "to ready", "p50/p95"), lambda row: _decision(row)),
        _Column(("served:", "latency", "p99"), lambda row: _tight(row["latency_s"]["p99"])),
        *_token_columns(result),
        _Column(
            ("", "replicas", "mean/peak"),
            lambda row: f"{numbers.count(row['replicas']['mean'])}/{row['replicas']['peak']}",
            lambda bound: (
                numbers.count(bound.mean_replicas)
                + (f"/{bound.peak_replicas}" if bound.peak_replicas is not None else "")
            ),
        ),
    ]


def _band_column(
    result: Result, figure: str, head: tuple[str, ...], shown: Callable[[float], str]
) -> list[_Column]:
    """The interval of a figure, where any row has one."""

    def text(row: Row) -> str:
        found = kept_band(row, figure)
        return f"{shown(found.low)} to {shown(found.high)}" if found else ""

    if not any(count_of(row) for row in result["scenarios"]):
        return []
    return [_Column(head, text)]


def _zero_wait_column(result: Result) -> list[_Column]:
    """Distance from the second bound, where it has no line of its own."""
    if not view.compares_policies(result):
        return []
    return [_Column(("", "× zero", "wait"), lambda row: numbers.ratio(view.over_zero_wait(row)))]


def _token_columns(result: Result) -> list[_Column]:
    """First token and time per output token, where the replay knows them."""
    rows = view.finished(result["scenarios"])
    columns = []
    for name, head, quantile in (
        ("first_token_s", ("first", "token", "p99"), "p99"),
        ("time_per_output_token_s", ("per", "token", "p50"), "p50"),
    ):
        if any(row.get(name) for row in rows):
            columns.append(_Column(head, _quantile_of(name, quantile)))
    return columns


def _quantile_of(name: str, quantile: str) -> Callable[[Row], str]:
    def of(row: Row) -> str:
        return _tight(row[name][quantile]) if row.get(name) else numbers.DASH

    return of


def _setting_column(path: str) -> _Column:
    def of(row: Row) -> str:
        text = clean(numbers.plain(row["settings"].get(path)))
        # Of a long one, a file's path most likely, the end tells the rows apart.
        return text if len(text) <= _LONG else f"…{text[1 - _LONG :]}"

    def of_bound(bound: Bound) -> str:
        # A bound does not depend on the policy's settings.
        return numbers.DASH if path.startswith("policy.") else of(bound.row)

    return _Column(("", "", view.short(path)), of, of_bound)


def _money(usd: float | None) -> str:
    return numbers.dollars(usd).removeprefix("$")


def _tight(seconds: float | None) -> str:
    return numbers.duration(seconds, tight=True)


def _pair(lag: Mapping[str, Any]) -> str:
    if lag["p50"] is None:
        return numbers.DASH
    return f"{_tight(lag['p50'])}/{_tight(lag['p95'])}"


def _decision(row: Row) -> str:
    """A fixed fleet decides nothing."""
    return numbers.DASH if row["policy"] == "fixed" else _pair(row["decision_to_ready_s"])


def _bound_ratio(bound: Bound) -> float | None:
    least: float = bound.row["bounds"]["work_bound"]["usd_total"]
    return bound.usd_total / least if least > 0.0 else None


def _line(columns: Sequence[_Column], row: Row, ink: str = "") -> Line:
    if row["status"] == "ok":
        cells = tuple(clean(column.row(row)) for column in columns)
        return Line(cells, tuple(column.ink(row) or ink for column in columns))
    named = tuple(clean(column.row(row)) for column in columns[: _keys(columns)])
    reason = f"failed: {clean(row['error'] or 'no reason given')}"
    return Line(named, ("",) * len(named), reason)


def _keys(columns: Sequence[_Column]) -> int:
    """Columns that name a row: all before the first figure."""
    return next(i for i, column in enumerate(columns) if column.head[-1] == "$/h")


def _foot(result: Result, width: int, paint: Paint) -> Iterable[str]:
    legend = (
        "◆ Pareto: no other scenario is both cheaper and misses less · ✓ keeps the service level, "
        f"✗ does not{_unsure(result)} · × dollars over the work bound, which nothing can beat · "
        "zero wait: instant, perfectly forecast scaling · fixed: the smallest constant fleet that "
        "keeps the service level, or whose waits do not break it where service times alone do"
    )
    notes = [
        legend,
        *view.notes(result),
        *_policy_notes(result),
        *map(price_line, view.prices(result)),
    ]
    notes += stale_notes(result)
    defaults = view.assumptions(result)
    if defaults:
        notes.append(
            f"{len(defaults)} defaults in force ({view.origins(defaults)}): listed with their "
            "sources in the report (--out DIR) and in --format json, under assumptions"
        )
    for note in notes:
        yield from (paint(line, "dim") for line in _wrap(note, width))


def _unsure(result: Result) -> str:
    """What the third mark says, where a row has it."""
    rows = (*result["scenarios"], *result["references"])
    if not any(level_of(row) == UNSURE for row in rows):
        return ""
    return (
        ", ? may or may not keep it: the interval of its misses holds what may be missed, or lies "
        "below it though the traffic as it came missed more"
    )


def _policy_notes(result: Result) -> Iterator[str]:
    """The defaults of each kind of policy compared, each with the number of its source.

    A default that follows from other settings is left to `scenario explain`, which says how.
    """
    sources: dict[str, int] = {}
    lines = []
    for kind, defaults in view.policy_defaults(result).items():
        settings = []
        for one in defaults:
            text = numbers.plain(one["value"])
            if len(text) > _LONG:
                continue
            source = f"{one['origin']}: {one['source']}"
            number = sources.setdefault(source, len(sources) + 1)
            settings.append(f"{one['path']} {text} [{number}]")
        lines.append(f"{kind}: {', '.join(settings)}")
    yield from view.preset_notes(result)
    if lines:
        yield "Defaults in force, with their sources; `modeler scenario explain` has all of them:"
    yield from lines
    yield from (f"[{number}] {source}" for source, number in sources.items())


def price_line(price: Mapping[str, Any]) -> str:
    """A price with its date, how sure it is and where it was read."""
    dated = f"as of {price['as_of']}" if price["as_of"] else "no date"
    return (
        f"Price {price['instance_type']} {price['region']} {price['purchase']}: "
        f"{numbers.unit_price(price['usd_per_hour'])}/h, {dated}, {price['confidence']}; "
        f"{price['source']}"
    )


def stale_notes(result: Result) -> list[str]:
    """A warning for each price that is old on the day the run names."""
    today = result["run"].get("as_of_today")
    if not today:
        return []
    return [
        f"Warning: {said}"
        for price in view.prices(result)
        if (
            said := age_warning(
                price["instance_type"], price["region"], price["as_of"], date.fromisoformat(today)
            )
        )
    ]


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), width) or [""]
