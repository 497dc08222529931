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
from modeler.replay import machine_layout as g
from modeler.replay.machines_setup import Layer
from modeler.replay.run import Run, Traffic, run
from modeler.scenario import Scenario
from modeler.scenario.gates import Verdict, parse_gates

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

    @property
    def gates(self) -> tuple[Verdict, ...]:
        """The scenario's gates held against the outcome."""
        row = self.outcome.to_dict()
        return tuple(gate.check(row) for gate in parse_gates(self.run.scenario.gates))

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``replay/1``."""
        trace = self.run.trace
        gates = [verdict.to_dict() for verdict in self.gates]
        return {
            "schema": "replay/1",
            "trace": {
                "source": trace.source,
                "content_hash": trace.content_hash,
                "requests": trace.requests,
                "duration_s": trace.duration_s,
            },
            "outcome": self.outcome.to_dict(),
            **({"gates": gates} if gates else {}),
            "decisions": self.decisions,
            "replicas": self.replicas().to_dict(orient="records"),
            "timeline": self.timeline,
            **({"instances": self.instances().to_dict(orient="records")} if self._layer else {}),
        }

    @property
    def _layer(self) -> Layer | None:
        return self.run.layer

    def replicas(self) -> pd.DataFrame:
        """One row a replica: requested, running, ready, drain, stop; NaN where never. [s]

        With machines beneath the replicas also the row of its instance, the law of its start, when
        it was told that it would go, and how its start or its instance ended.
        """
        import pandas as pd

        table = self.run.result.replicas
        frame = pd.DataFrame(
            np.where(np.isfinite(table), table, np.nan), columns=list(_REPLICA_COLUMNS)
        )
        frame.insert(0, "replica", np.arange(len(frame)))
        frame.insert(1, "warm", frame["replica"] < self.run.result.initial)
        ground = self.run.result.ground
        if self._layer is not None and ground is not None:
            placed, names = ground.placed, self._layer.names
            laws = placed[:, g.P_LAW].astype(np.int64)
            notice = placed[:, g.P_NOTICE]
            frame["instance"] = placed[:, g.P_NODE].astype(np.int64)
            frame["law"] = ["" if law < 0 else names[law] for law in laws]
            frame["notice_s"] = np.where(np.isfinite(notice), notice, np.nan)
            frame["ended"] = [g.ENDS[int(why)] for why in placed[:, g.P_ENDED]]
        return frame

    def instances(self) -> pd.DataFrame:
        """One row a start of an instance beneath the replicas. [s]

        Raises
        ------
        ValueError : each replica was its own instance and the weather was fair.
        """
        import pandas as pd

        ground = self.run.result.ground
        if self._layer is None or ground is None:
            raise ValueError("no instances apart from the replicas: set hosting.nodes or weather")
        nodes = ground.nodes
        times = np.where(np.isfinite(nodes), nodes, np.nan)
        pools = [pool.hosting.instance for pool in self._layer.pools]
        return pd.DataFrame(
            {
                "instance": np.arange(len(nodes)),
                "machine": nodes[:, g.N_MACHINE].astype(np.int64),
                "instance_type": [pools[int(pool)] for pool in nodes[:, g.N_POOL]],
                "role": [g.ROLES[int(role)] for role in nodes[:, g.N_ROLE]],
                "zone": nodes[:, g.N_ZONE].astype(np.int64),
                "requested_s": times[:, g.N_REQUESTED],
                "running_s": times[:, g.N_RUNNING],
                "up_s": times[:, g.N_UP],
                "image_s": times[:, g.N_IMAGE],
                "stop_s": times[:, g.N_STOP],
                "ended": [g.ENDS[int(why)] for why in nodes[:, g.N_ENDED]],
            }
        )

    def requests(self) -> pd.DataFrame:
        """One row a request: arrival, start, end, outcome, cause, replica. [s]

        Of replicas that batch also when its first token came.

        Raises
        ------
        ValueError : the replay kept no request records.
        """
        import pandas as pd

        result = self.run.result
        if len(result.record) != result.requests:
            raise ValueError("no request records: replay with records=True")
        arrival_s = self.run.arrivals()
        names = {0: "", **m.CAUSES}
        start_s = result.record_s[:, 0]
        frame = pd.DataFrame(
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
        if result.between is not None:
            frame.insert(2, "first_token_s", result.record_s[:, 2])
        return frame


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
