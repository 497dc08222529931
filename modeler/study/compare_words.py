"""What a comparison says, in a sentence or two that need no engineer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from modeler.scenario import format_duration

if TYPE_CHECKING:
    from modeler.study.comparison import Compared, Level

# How a figure is said: up to the amount, the amount, and after it for more and for less.
_SAID: Final[dict[str, tuple[str, Callable[[float], str], str, str]]] = {
    "usd_per_month": (
        "costs", lambda usd: dollars(usd), "a month more", "a month less"),
    "sla_violation_share": (
        "misses", lambda share: in_a_hundred(share), "of each 100 requests more",
        "of each 100 requests fewer"),
    "latency_p99_s": (
        "answers all but the slowest hundredth", format_duration, "later", "sooner"),
    "breach_to_ready_p95_s": (
        "has help ready", format_duration, "later after a breach", "sooner after a breach"),
}  # fmt: skip
_CALLED: Final = {"usd_per_month": "dollars", "sla_violation_share": "missed requests"}


# A scenario's file in a name, which may go on: mine.yaml with fleet.min=2.
_FILE: Final = re.compile(r"^(?:.*[/\\])?([^/\\]+?)\.ya?ml(?= with |$)")


def advice(
    names: tuple[str, str],
    figures: Sequence[Compared],
    levels: tuple[Level, Level],
    replicates: int,
) -> str:
    """What B changes, with intervals, and whether it keeps the service level.

    Parameters
    ----------
    names : (str, str). What A and B are called: a file is called by its stem.
    figures : sequence of Compared.
    levels : (Level, Level). Of A and of B.
    replicates : int. Pairs; 0 where nothing was drawn again.
    """
    a, b = called(names)
    if replicates:
        second, both = f"Against {a}, {_same(a, b)}", f"{_begun(a)} and {_same(a, b)}"
        told = told_apart(figures, replicates, second=second, both=both, names=(a, b))
        return f"{told} {_kept(b, levels[1])}{_limits(levels)}"
    moved = [one for one in _told(figures) if one.difference]
    text = "No figure moves"
    if moved:
        text = f"On this traffic, against {a}, {_same(a, b)} {_joined(map(_amount, moved))}"
    text += "; one replay of each does not say how much of it is chance."
    return f"{text} {_kept(b, levels[1])}{_limits(levels)}"


def called(names: tuple[str, str]) -> tuple[str, str]:
    """Names for a sentence: files by their stems, unless those are the same.

    >>> called(("runs/mine.yaml", "runs/mine.yaml with fleet.min=2"))
    ('mine', 'mine with fleet.min=2')
    >>> called(("old/mine.yaml", "new/mine.yaml"))
    ('old/mine.yaml', 'new/mine.yaml')
    """
    a, b = (_FILE.sub(r"\1", name) for name in names)
    return (a, b) if a != b else names


def _same(a: str, b: str) -> str:
    """The second after the first was named."""
    return f"the same{b.removeprefix(a)}" if b.startswith(f"{a} with ") else b


def _begun(name: str) -> str:
    """A name that begins a sentence."""
    return f"The {name.removeprefix('the ')}" if name.startswith("the ") else name


def told_apart(
    figures: Sequence[Compared],
    replicates: int,
    *,
    second: str,
    both: str,
    names: tuple[str, str] | None = None,
) -> str:
    """What a second scenario changes by more than chance, with intervals, or that nothing is.

    Parameters
    ----------
    figures : sequence of Compared.
    replicates : int. Pairs.
    second, both : str. What the second, and the two of them, are called.
    names : (str, str), optional. Of the first and the second, for the advice to keep one.
    """
    said = _told(figures)
    apart = [one for one in said if one.differs]
    if not apart:
        return f"{both} {_alike(said, replicates)}."
    text = f"{second} {_joined(_amount(one) + _between(one) for one in apart)}."
    for one in said:
        if one.figure in _CALLED and not one.differs:
            text += f" {_unsure(one)}{_cheaper(apart, one, names)}."
    return text


def _told(figures: Sequence[Compared]) -> list[Compared]:
    return [one for one in figures if one.figure in _SAID]


def dollars(usd: float) -> str:
    """Money, in whole dollars from a hundred on.

    >>> dollars(1310.4), dollars(12.345), dollars(-0.004)
    ('$1,310', '$12.35', '-$0.004')
    """
    size = abs(usd)
    text = f"{size:,.0f}" if size >= 99.5 else f"{size:,.2f}" if size >= 0.1 else f"{size:.2g}"
    return f"{'-' if usd < 0.0 else ''}${text if size else '0'}"


def points(share: float) -> str:
    """A share in percent.

    >>> points(0.0123), points(0.0), points(-0.5)
    ('1.23 %', '0 %', '-50 %')
    """
    return f"{100.0 * share:.3g} %"


def percent(share: float) -> str:
    """A share in percent, to two digits.

    >>> percent(0.0123), percent(1.0), percent(0.0)
    ('1.2 %', '100 %', '0 %')
    """
    return f"{float(f'{100.0 * share:.2g}'):g} %"


def between(low: float | None, high: float | None, text: Callable[[float], str]) -> str:
    """An interval behind its figure; nothing where there is none.

    >>> between(0.1, 0.2, percent), between(0.1, 0.1, percent), between(None, None, percent)
    (' (between 10 % and 20 %)', ' (10 % over the replicates)', '')
    """
    if low is None or high is None:
        return ""
    one, other = text(low), text(high)
    return f" ({one} over the replicates)" if one == other else f" (between {one} and {other})"


def inside(low: float, high: float, text: Callable[[float], str]) -> str:
    """The interval of an amount behind it, the smaller end first; nothing where it has no width.

    >>> inside(-5.0, -3.0, dollars), inside(1843.2, 1843.3, dollars)
    (' (between $3.00 and $5.00)', '')
    """
    one, other = (text(end) for end in sorted((abs(low), abs(high))))
    return "" if one == other else f" (between {one} and {other})"


def spread(low: float, high: float, text: Callable[[float], str], more: str, less: str) -> str:
    """An interval about nothing in words, in which no number has a sign.

    >>> spread(-6.54, 192.0, dollars, "more", "less"), spread(0.0, 0.03, in_a_hundred, "more", "")
    ('between $6.54 less and $192 more', 'between 0 and 3 more')
    """
    if low < 0.0 < high:
        return f"between {text(-low)} {less} and {text(high)} {more}"
    one, other = sorted((abs(low), abs(high)))
    return f"between {text(one)} and {text(other)} {more if high > 0.0 else less}"


def in_a_hundred(share: float) -> str:
    """A difference of shares, that nobody takes for a relative one.

    >>> in_a_hundred(0.0123)
    '1.23'
    """
    return f"{100.0 * share:.3g}"


def _amount(one: Compared) -> str:
    verb, text, more, less = _SAID[one.figure]
    assert one.difference is not None
    return f"{verb} {text(abs(one.difference))} {more if one.difference > 0.0 else less}"


def _between(one: Compared) -> str:
    """The interval, in the direction of the difference: the smaller amount first."""
    return inside(one.low or 0.0, one.high or 0.0, _SAID[one.figure][1])


def _cheaper(apart: Sequence[Compared], alike: Compared, names: tuple[str, str] | None) -> str:
    """Which to keep, where dollars differ and nothing else does."""
    first = apart[0]
    alone = len(apart) == 1 and first.figure == "usd_per_month"
    if names is None or not alone or alike.figure != "sla_violation_share":
        return ""
    name = names[0] if (first.difference or 0.0) > 0.0 else names[1]
    return f"; keep {name}, the cheaper, unless longer traffic shows more"


def _alike(said: Sequence[Compared], replicates: int) -> str:
    known = [one for one in said if one.low is not None]
    if all(one.low == one.high == 0.0 for one in known):
        return f"do not differ: every figure is the same in each of {replicates} replicates"
    ends = _joined(
        f"{_CALLED[one.figure]} {_little(one)}" for one in known if one.figure in _CALLED
    )
    return f"are not told apart by this traffic: {ends}"


def _unsure(one: Compared) -> str:
    """A figure of which the traffic does not say whether it differs."""
    name = _CALLED[one.figure]
    if not (one.low or one.high):
        return f"{name[0].upper()}{name[1:]} are the same"
    return f"Whether {name} differ this traffic does not say: {_little(one)}"


def _little(one: Compared) -> str:
    """The interval of a figure that does not differ by more than chance."""
    low, high = one.low or 0.0, one.high or 0.0
    if one.figure == "usd_per_month":
        return f"{spread(low, high, dollars, 'more', 'less')} a month"
    return f"{spread(low, high, in_a_hundred, 'more', 'fewer')} of each 100"


def _kept(b: str, level: Level) -> str:
    allowed = f"that {points(level.allowed)} may be missed"
    if level.verdict == "keeps":
        return f"{_begun(b)} keeps the service level, {allowed}."
    if level.verdict == "breaks":
        return f"{_begun(b)} does not keep the service level, {allowed}."
    return f"Whether {b} keeps the service level, {allowed}, this traffic does not say."


def _limits(levels: tuple[Level, Level]) -> str:
    """That misses of the two are not counted alike, where they are not."""
    a, b = (format_duration(level.threshold_s) for level in levels)
    if a == b:
        return ""
    return f" Their service levels differ, {a} and {b}: each one's misses are counted by its own."


def _joined(parts: Iterable[str]) -> str:
    *first, last = list(parts)
    return f"{', '.join(first)} and {last}" if first else last
