"""A window of real traffic under the policy that ran, and under others.

Every policy replays the same requests, from the start of the traffic, with the same draws of
services and cold starts: what differs in the window is the policy's doing. Requests are paired, so
that one that is saved is one that missed the service level under the policy that ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import traces
from modeler.measure.window import violated
from modeler.replay.run import Run, Traffic, arrivals_of, run
from modeler.scenario import Scenario, format_duration, with_values
from modeler.study.incident_luck import Lucks, lucks
from modeler.study.incident_rows import (
    Part,
    against,
    failed,
    points_of,
    seen_in,
    timeline_of,
    with_intervals,
)
from modeler.study.incident_window import (
    IncidentError,
    Moment,
    around,
    check_arrivals,
    clock,
    said,
    window_asked,
    worst_hour,
)
from modeler.study.incident_words import advice
from modeler.study.presets import Preset
from modeler.study.sweep import Status

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[Status], None]
_DOLLARS: Final = (
    "dollars in the window are those of machine seconds inside it; what minimums and whole seconds "
    "add falls due when a machine stops"
)
_DRAWS: Final = (
    "a replica draws its cold start by its number: policies that have started more of them before "
    "draw others, and --replicates shows how much of a difference is that"
)
_METERED: Final = (
    "what is metered per request is shared out: each line of the bill by the part of its services "
    "that lies in the window"
)
_LUCKS: Final = (
    "95 of 100 lucks lie in an interval: the same traffic, and everything random drawn anew, the "
    "same for every policy"
)
_CUT: Final = (
    "what follows from the traffic, such as a target that is not set, follows from the part that "
    "is replayed, and its draws are not those of the whole"
)


@dataclass(frozen=True, repr=False)
class Incident:
    """A window under several policies.

    Parameters
    ----------
    meta : dict. The traffic, the window, and what to know of both.
    rows : tuple of dict. One a policy, the one that ran first; one that could not be replayed
        keeps its place with ``status`` and ``error``.
    timeline : dict. Demand, and ready replicas and misses of each policy, by bin of the window.
    """

    meta: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    timeline: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``incident/1``."""
        return {
            "schema": "incident/1",
            **self.meta,
            "policies": list(self.rows),
            "advice": self.sentence(),
            "timeline": self.timeline,
        }

    def sentence(self) -> str:
        """What the rows say, in a sentence or two."""
        return advice(self.rows, self.meta)

    def frame(self) -> pd.DataFrame:
        """One row a policy; nested values become dotted columns."""
        import pandas as pd

        return pd.json_normalize(list(self.rows))

    def __repr__(self) -> str:
        return f"Incident under {len(self.rows)} policies: {self.sentence()}"


def incident(
    scenario: Scenario,
    window: tuple[Moment | None, Moment | None] = (None, None),
    alternatives: Mapping[str, Scenario] | None = None,
    *,
    presets: Sequence[Preset] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    pad_s: float | None = None,
    replicates: int = 0,
    trace: Traffic | None = None,
    progress: Progress | None = None,
) -> Incident:
    """Replay a window of traffic under the policy that ran and under others.

    Parameters
    ----------
    scenario : Scenario. With the policy that ran; its ``sweep`` block is not looked at.
    window : (start, end). Each a duration since the trace's start (``2d9h``, or a number [s]), or
        a time, UTC unless it says otherwise; None: the traffic's own. The end is not in it. With
        neither, the hour with the most misses is found.
    alternatives : mapping of str to Scenario, optional. By name.
    presets : sequence of Preset, optional. Policies on their platforms, each an alternative.
    settings : mapping of path to values, optional. Every combination of them is an alternative:
        the policy that ran with these settings.
    pad_s : float, optional. Replay only from so long before the window until so long after it,
        instead of the whole traffic; the window must be given then. [s]
    replicates : int. Lucks at most, for intervals about what each would have saved and cost: the
        same traffic with everything random drawn anew, alike for all; 0 for none.
    trace : optional. The traffic, instead of what ``scenario.trace`` names.
    progress : called with a `Status` now and then.

    Raises
    ------
    IncidentError : a window that cannot be read, lies outside the traffic or has no request.
    ScenarioError : unknown settings, or an alternative with other traffic.
    """
    base = with_values(scenario, {"sweep": {}}) if scenario.sweep else scenario
    points = points_of(base, alternatives or {}, presets, settings or {})
    whole = trace if trace is not None else traces.load(base.trace, seed=base.seed)
    span = window_asked(whole, *window)
    traffic, begin_s = whole, 0.0
    if span is not None:
        check_arrivals(whole, arrivals_of(whole, base.seed), span)
    if pad_s is not None:
        if span is None:
            raise IncidentError(
                "a pad needs a window: to find the worst hour all of the traffic is replayed"
            )
        traffic, begin_s = around(whole, span, pad_s)
    report = _Reporter(len(points) * (1 + replicates), traffic.requests, progress)
    ran = run(base, traffic, records=True, progress=report.at(0))
    if span is None:
        span = worst_hour(traffic, ran.arrivals(), violated(ran))
    part = Part(whole, span, begin_s)
    first = seen_in(points[0], ran, part)
    rows, shown = [against(first, first)], [first]
    for number, point in enumerate(points[1:], start=1):
        try:
            if point.error is not None:
                raise point.error
            done = run(point.scenario, traffic, records=True, progress=report.at(number))
            one = seen_in(point, done, part)
        except Exception as error:  # one that cannot be replayed never ends the others
            rows.append(failed(point, error, rows[0]))
            continue
        rows.append(against(one, first))
        shown.append(one)
    drawn = Lucks()
    if replicates:
        sound = [(k, points[k]) for k, row in enumerate(rows) if row["status"] == "ok"]
        drawn = lucks(sound, traffic, part, replicates, lambda k: report.at(len(points) + k))
    rows = [with_intervals(row, drawn.intervals(k)) for k, row in enumerate(rows)]
    meta = {
        "replicates": drawn.made,
        **_meta(ran, part, rows[0]["requests"]),
        "notes": [
            *_notes(part, pad_s, metered=any(one.metered for one in points)),
            *([_LUCKS] if drawn.made else []),
        ],
    }
    return Incident(meta, tuple(rows), timeline_of(ran, part, shown))


def _notes(part: Part, pad_s: float | None, *, metered: bool) -> list[str]:
    how = f"{part.span.how}, but cut: {part.span.cut}" if part.span.cut else part.span.how
    notes = [f"window: {how}", _DOLLARS, *([_METERED] if metered else []), _DRAWS]
    if pad_s is not None:
        notes.append(
            f"replayed from {said(part.whole, part.begin_s)} on, at most {format_duration(pad_s)} "
            f"before the window, until as long after it; {_CUT}"
        )
    return notes


def _meta(ran: Run, part: Part, requests: int) -> dict[str, Any]:
    """The traffic, the window and the part that was replayed."""
    whole, scenario = part.whole, ran.scenario
    end_s = part.end_s(ran)
    return {
        "name": scenario.name,
        "trace": {
            "source": whole.source,
            "content_hash": whole.content_hash,
            "requests": whole.requests,
            "duration_s": whole.duration_s,
            "start": clock(whole, 0.0),
        },
        "window": {
            "from_s": part.span.from_s,
            "to_s": end_s,
            "from": clock(whole, part.span.from_s),
            "to": clock(whole, end_s),
            "how": part.span.how,
            "cut": part.span.cut or None,
            "requests": requests,
        },
        "replayed": {
            "from_s": part.begin_s,
            "to_s": part.begin_s + ran.result.end_s,
            "requests": ran.result.requests,
        },
        "sla": {"metric": scenario.sla.metric, "threshold_s": ran.limits.threshold_s},
    }


class _Reporter:
    """Tells how far the replays are."""

    def __init__(self, policies: int, requests: int, progress: Progress | None) -> None:
        self._policies, self._requests, self._progress = policies, requests, progress

    def at(self, number: int) -> Callable[[int], None] | None:
        """What the replay of one policy is to call."""
        progress, each, many = self._progress, self._requests, self._policies
        if progress is None:
            return None
        return lambda done: progress(Status(number * each + done, many * each, number, many))
