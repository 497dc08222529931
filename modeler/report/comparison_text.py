"""Two scenarios beside each other as text: settings as a plan shows them, then differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from modeler.report import numbers

_CALLED: Final = {
    "usd_per_month": "dollars a month",
    "sla_violation_share": "missed",
    "latency_p99_s": "latency p99",
    "breach_to_ready_p95_s": "breach to ready p95",
    "decision_to_ready_p50_s": "decision to ready p50",
    "peak_replicas": "peak replicas",
}
_HEAD: Final = ("", "A", "B", "B - A", "95 %", "")


def comparison_text(result: Mapping[str, Any]) -> str:
    """A comparison for a terminal, a pipe or a log.

    Parameters
    ----------
    result : mapping. As `Comparison.to_dict` gives it, schema ``compare/1``.
    """
    trace = result["trace"]
    parts = [
        f"A  {result['a']}",
        f"B  {result['b']}",
        f"{trace['source']}: {trace['requests']:,} requests, "
        f"{result['replicates']} replicates of each",
        "",
        *_settings(result["changed"]),
        "",
        *_aligned([_HEAD, *(_cells(one) for one in result["figures"])]),
        "",
        *(_parted(result["divergence"]) if result["replayed"] else ()),
        *(f"note  {note}" for note in result["notes"]),
        "",
        result["advice"],
    ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _settings(changed: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """As `terraform plan` marks them."""
    if not changed:
        yield "no setting differs"
    width = max((len(one["path"]) for one in changed), default=0)
    for one in changed:
        a, b = numbers.plain(one["a"]), numbers.plain(one["b"])
        value = {"+": b, "-": a}.get(one["mark"], f"{a} -> {b}")
        yield f"{one['mark']} {one['path']:<{width}}  {value}"


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    name = one["figure"]
    ends = ""
    if one["low"] is not None:
        ends = f"[{_text(name, one['low'], sign=True)}, {_text(name, one['high'], sign=True)}]"
    alike = ""
    if one["differs"] is False:
        alike = "the same" if one["low"] == one["high"] == 0.0 else "may be chance"
    return (
        _CALLED[name],
        _text(name, one["a"]),
        _text(name, one["b"]),
        _text(name, one["difference"], sign=True),
        ends,
        alike,
    )


def _text(name: str, value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return numbers.DASH
    mark = ("+" if value > 0.0 else "-" if value < 0.0 else "") if sign else ""
    size = abs(value) if sign else value
    if name == "usd_per_month":
        return mark + (f"${size:,.0f}" if size >= 99.5 else numbers.dollars(size))
    if name == "sla_violation_share":
        return mark + numbers.percent(size)
    return mark + (f"{size:,.0f}" if name == "peak_replicas" else numbers.duration(size))


def _parted(divergence: Mapping[str, Any] | None) -> Iterable[str]:
    if divergence is None:
        yield "the replays never part"
        return
    when = divergence["at"] or numbers.moment(divergence["time_s"])
    yield f"the replays first part at {when}"
    decision, replica, request = (divergence[key] for key in ("decision", "replica", "request"))
    if decision:
        a, b = decision["desired"]
        reasons = [one["reason"] if one else "no decision" for one in decision["decisions"]]
        at = numbers.moment(decision["time_s"])
        yield f"  decision  {at}  A wants {a} ({reasons[0]}), B {b} ({reasons[1]})"
    if replica:
        events = [
            f"{side} {one['event']} {one['replica']}" if one else f"{side} nothing"
            for side, one in zip("AB", replica["events"], strict=True)
        ]
        yield f"  replica   {numbers.moment(replica['time_s'])}  {', '.join(events)}"
    if request:
        ends = " and ".join(request["outcome"])
        at = numbers.moment(request["time_s"])
        yield f"  request   {at}  number {request['request']:,}, {ends}"


def _aligned(lines: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    for line in lines:
        cells = [
            text.ljust(width) if k in (0, len(line) - 1) else text.rjust(width)
            for k, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(cells)
