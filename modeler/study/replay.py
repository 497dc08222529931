"""One scenario looked at closely: outcome, decisions, replicas, timeline, and requests if asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import traces
from modeler.measure import Outcome, judge, timeline
from modeler.measure.decisions import decisions
from modeler.replay import layout as m
from modeler.replay.run import Run, Traffic, run
from modeler.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

_REPLICA_COLUMNS = ("requested_s", "running_s", "ready_s", "drain_s", "stop_s")


@dataclass(frozen=True, repr=False)
class Replay:
    """A replay with its judgement."""

    run: Run
    outcome: Outcome
    decisions: list[dict[str, Any]]
    timeline: dict[str, Any]

    def __repr__(self) -> str:
        outcome = self.outcome
        return (
            f"Replay of {outcome.requests:,} requests under {outcome.policy}: "
            f"${outcome.usd_per_hour:,.2f} an hour, "
            f"{100 * outcome.sla_violation_share:.2f} % missed"
        )

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``replay/1``."""
        trace = self.run.trace
        return {
            "schema": "replay/1",
            "trace": {
                "source": trace.source,
                "content_hash": trace.content_hash,
                "requests": trace.requests,
                "duration_s": trace.duration_s,
            },
            "outcome": self.outcome.to_dict(),
            "decisions": self.decisions,
            "replicas": self.replicas().to_dict(orient="records"),
            "timeline": self.timeline,
        }

    def replicas(self) -> pd.DataFrame:
        """One row a replica: requested, running, ready, drain, stop; NaN where never. [s]"""
        import pandas as pd

        table = self.run.result.replicas
        frame = pd.DataFrame(
            np.where(np.isfinite(table), table, np.nan), columns=list(_REPLICA_COLUMNS)
        )
        frame.insert(0, "replica", np.arange(len(frame)))
        frame.insert(1, "warm", frame["replica"] < self.run.result.initial)
        return frame

    def requests(self) -> pd.DataFrame:
        """One row a request: arrival, start, end, outcome, cause, replica. [s]

        Raises
        ------
        ValueError : the replay kept no request records.
        """
        import pandas as pd

        result = self.run.result
        if len(result.record) != result.requests:
            raise ValueError("no request records: replay with records=True")
        arrival_s = np.concatenate(
            [chunk.arrival_s for chunk in self.run.trace.chunks(seed=self.run.scenario.seed)]
        )
        names = {0: "", **m.CAUSES}
        start_s = result.record_s[:, 0]
        return pd.DataFrame(
            {
                "arrival_s": arrival_s,
                "start_s": np.where(np.isfinite(start_s), start_s, np.nan),
                "end_s": result.record_s[:, 1],
                "outcome": pd.Categorical.from_codes(
                    result.record[:, 0] - 1, categories=pd.Index(list(m.OUTCOMES.values()))
                ),
                "cause": pd.Categorical.from_codes(
                    result.record[:, 1], categories=pd.Index(list(names.values()))
                ),
                "replica": result.record[:, 2],
            }
        )


def replay(
    scenario: Scenario,
    *,
    trace: Traffic | None = None,
    records: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Replay:
    """Replay and judge one scenario.

    Parameters
    ----------
    scenario : Scenario. Its ``sweep`` block is not looked at.
    trace : optional. The traffic, instead of what ``scenario.trace`` names.
    records : bool. Keep one record per request.
    progress : called with the number of requests replayed so far.

    Raises
    ------
    traces.TraceError, pricing.PricingError, modeler.predict.ModelDoesNotFit : as the rooms say.
    """
    traffic = trace if trace is not None else traces.load(scenario.trace, seed=scenario.seed)
    done = run(scenario, traffic, records=records, progress=progress)
    return Replay(done, judge(done), decisions(done), timeline(done))
