"""The sweep as text: aligned columns for a terminal, a pipe or a log.

Columns that do not fit the width continue in a further block which repeats the first columns, so
that nothing is cut off. Colour only marks what a sign says too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from modeler.report import numbers, view
from modeler.report.terminal import PIPE_WIDTH, Paint, clean, painter, to_ascii
from modeler.report.view import Bound, Result, Row

_GAP = "  "
_LONG = 24  # characters of a setting's value


@dataclass(frozen=True)
class _Column:
    """A column: its heading's lines, its text for a row and for a bound, its colour."""

    head: tuple[str, ...]
    row: Callable[[Row], str]
    bound: Callable[[Bound], str] = lambda bound: ""
    left: bool = False
    ink: Callable[[Row], str] = lambda row: ""


@dataclass(frozen=True)
class _Line:
    """A line of the table: cells by column, or the reason why there are none."""

    cells: tuple[str, ...]
    inks: tuple[str, ...] = ()
    reason: str | None = None


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
    others = [_line(columns, row) for row in result["references"]]
    others += [
        _Line(tuple(column.bound(bound) for column in columns)) for bound in view.bounds(result)
    ]
    parts = [
        *_head(result, width, paint),
        "",
        *_blocks(columns, own, others, width, paint),
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
        about += f" · {best['region']} · {view.promise(best)}"
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
        _Column(
            ("", "SLA", "misses"),
            lambda row: (
                f"{'✓' if row['meets_sla'] else '✗'} "
                f"{numbers.percent(row['sla_violation_share']):>7}"
            ),
            ink=lambda row: "good" if row["meets_sla"] else "bad",
        ),
        _Column(("breach", "to ready", "p50/p95"), lambda row: _pair(row["breach_to_ready_s"])),
        _Column(("decision", "to ready", "p50/p95"), lambda row: _decision(row)),
        _Column(("", "latency", "p99"), lambda row: _tight(row["latency_s"]["p99"])),
        _Column(
            ("", "replicas", "mean/peak"),
            lambda row: f"{numbers.count(row['replicas']['mean'])}/{row['replicas']['peak']}",
            lambda bound: (
                numbers.count(bound.mean_replicas)
                + (f"/{bound.peak_replicas}" if bound.peak_replicas is not None else "")
            ),
        ),
    ]


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


def _line(columns: Sequence[_Column], row: Row) -> _Line:
    keys = _keys(columns)
    if row["status"] == "ok":
        return _Line(
            tuple(clean(column.row(row)) for column in columns),
            tuple(column.ink(row) for column in columns),
        )
    named = tuple(clean(column.row(row)) for column in columns[:keys])
    return _Line(named, reason=f"failed: {clean(row['error'] or 'no reason given')}")


def _keys(columns: Sequence[_Column]) -> int:
    """Columns that name a row: all before the first figure."""
    return next(i for i, column in enumerate(columns) if column.head[-1] == "$/h")


def _blocks(
    columns: Sequence[_Column],
    own: Sequence[_Line],
    others: Sequence[_Line],
    width: int,
    paint: Paint,
) -> Iterable[str]:
    """The columns in as many blocks as the width asks for; failures stand in the first."""
    lines = [*own, *others]
    widths = [
        max(cell_len(text) for text in (*column.head, *_texts(lines, i)))
        for i, column in enumerate(columns)
    ]
    keys = _keys(columns)
    for number, chosen in enumerate(_fit(widths, keys, width)):
        if number:
            yield ""
        for level in range(3):
            head = [columns[i].head[level] for i in chosen]
            yield paint(_join(head, chosen, columns, widths), "bold")
        for line in own:
            if line.reason is None:
                yield _painted(line, chosen, columns, widths, paint)
            elif number == 0:
                named = _join(line.cells, range(keys), columns, widths) + _GAP
                yield from _reason(named, line.reason, width, paint)
        told = [line for line in others if _says(line, chosen[keys:])]
        if told:
            yield paint("─" * min(width, sum(widths[i] + len(_GAP) for i in chosen) - 2), "dim")
        for line in told:
            yield paint(_join([line.cells[i] for i in chosen], chosen, columns, widths), "dim")


def _says(line: _Line, chosen: Iterable[int]) -> bool:
    """Whether a line has anything in these columns."""
    return any(line.cells[i] not in ("", numbers.DASH) for i in chosen)


def _texts(lines: Sequence[_Line], column: int) -> list[str]:
    return [line.cells[column] for line in lines if column < len(line.cells)]


def _fit(widths: Sequence[int], keys: int, width: int) -> list[list[int]]:
    """Column numbers of each block: the keys, and as many others as there is room for."""
    blocks: list[list[int]] = []
    room = 0
    for i in range(keys, len(widths)):
        need = widths[i] + len(_GAP)
        if not blocks or need > room:
            blocks.append(list(range(keys)))
            room = width - sum(widths[k] + len(_GAP) for k in range(keys)) + len(_GAP)
        blocks[-1].append(i)
        room -= need
    return blocks


def _join(
    cells: Sequence[str], chosen: Iterable[int], columns: Sequence[_Column], widths: Sequence[int]
) -> str:
    return _GAP.join(
        _pad(text, widths[i], columns[i].left) for text, i in zip(cells, chosen, strict=True)
    )


def _painted(
    line: _Line,
    chosen: Sequence[int],
    columns: Sequence[_Column],
    widths: Sequence[int],
    paint: Paint,
) -> str:
    return _GAP.join(
        paint(_pad(line.cells[i], widths[i], columns[i].left), line.inks[i]) for i in chosen
    )


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * max(width - cell_len(text), 0)
    return text + blanks if left else blanks + text


def _reason(named: str, reason: str, width: int, paint: Paint) -> Iterable[str]:
    """The reason beside the row's name, or below it where there is too little room."""
    indent = cell_len(named)
    if indent > width // 2:
        yield named
        indent = 4
        named = " " * indent
    for line in textwrap.wrap(reason, width - indent):
        yield named + paint(line, "bad")
        named = " " * indent


def _foot(result: Result, width: int, paint: Paint) -> Iterable[str]:
    legend = (
        "◆ Pareto: no other row is both cheaper and misses less · ✓ keeps the service level, "
        "✗ does not · × dollars over the work bound, which nothing can beat · zero wait: instant, "
        "perfectly forecast scaling · fixed: the smallest constant fleet that keeps the service "
        "level, or whose waits do not break it where service times alone do"
    )
    notes = [legend, *map(price_line, view.prices(result))]
    notes += stale_notes(result)
    defaults = view.assumptions(result)
    if defaults:
        notes.append(
            f"{len(defaults)} defaults in force ({view.origins(defaults)}): listed with their "
            "sources in the report (--out DIR) and in --format json, under assumptions"
        )
    for note in notes:
        yield from (paint(line, "dim") for line in _wrap(note, width))


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
    notes = []
    for price in view.prices(result):
        days = view.price_age_days(price, result["run"])
        if days is not None and days > view.OLD_PRICE_DAYS:
            notes.append(
                f"Warning: the price of {price['instance_type']} in {price['region']} is "
                f"{days} days old (as of {price['as_of']}); check it before you decide"
            )
    return notes


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), width, subsequent_indent="") or [""]
