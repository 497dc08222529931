"""How often `optimize` finds what trying everything finds, on spaces that no test has.

And how much of the plateau it finds: of the settings within a hundredth of the true best, the
share that its answer holds.

python -m benchmarks.optimum
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import traces
from modeler.scenario import Scenario, default, with_values
from modeler.study import Goal, Lab, Optimum, optimize
from modeler.study.search import WITHIN
from modeler.study.space import combinations
from traces import Trace
from traces.transform import thin

_TARGETS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_DELAYS_S: Final = (60.0, 300.0, 900.0)
_SEEDS: Final = 5


class Case(NamedTuple):
    """A space to search, on some traffic."""

    name: str
    scenario: Scenario
    axes: Mapping[str, Sequence[Any]]
    goal: Goal
    trace: Trace


def cases() -> Iterator[Case]:
    """Three spaces on each of five weeks of the sample, at an eighth of its rate."""
    base = with_values(default(), {"sweep": {}, "model.size": "4GB", "fleet.slots": 2})
    tracking = {
        "policy.target_utilisation": _TARGETS,
        "policy.scale_in_cooldown_s": _DELAYS_S,
        "fleet.min": (1, 2, 3, 4),
    }
    pods = {
        "policy.target_utilisation": _TARGETS,
        "policy.downscale_stabilization_s": _DELAYS_S,
        "fleet.min": (1, 2, 3, 4),
    }
    hpa = {"hosting.kind": "eks_karpenter", "policy": {"kind": "hpa", "metric": "concurrency"}}
    for seed in range(_SEEDS):
        week = traces.load("office-week", seed=10 + seed)
        assert isinstance(week, Trace)
        trace = thin(week, 0.12, seed=seed)
        level = {
            "service.kind": "exponential", "service.mean_s": 8.0 + 2.0 * seed, "fleet.slots": 1,
            "sla.threshold_s": 60.0, "sla.max_violation_share": 0.01,
        }  # fmt: skip
        yield Case("level", with_values(base, level), tracking, Goal(), trace)
        yield Case("hpa", with_values(base, hpa), pods, Goal("balanced"), trace)
        dear = with_values(base, {"model.size": "8GB"})
        yield Case("penalty", dear, tracking, Goal("cost", penalty_usd=0.02), trace)


def plateau_share(found: Optimum, rows: Sequence[Mapping[str, Any]], goal: Goal) -> float:
    """Of the settings within a hundredth of the best of all rows, the share that was found.

    Where none of them keeps what is asked: 1 if nothing comes closer than what was found, else 0.
    """
    best = min(rows, key=goal.rank)
    if not goal.keeps(best):
        return float(_off(found, best, goal) <= 0.0)
    limit = goal.value(best) * (1.0 + WITHIN)
    true = [row["settings"] for row in rows if goal.keeps(row) and goal.value(row) <= limit]
    said = [row["settings"] for row in found.plateau]
    return sum(settings in said for settings in true) / len(true)


def _off(found: Optimum, true: Mapping[str, Any], goal: Goal) -> float:
    """How much worse what was found is, relative to the true best: in misses where none keeps."""
    if found.keeps is not goal.keeps(true):
        return float("inf")
    if found.keeps:
        return goal.value(found.best) / goal.value(true) - 1.0
    return float(found.best["sla_violation_share"] / true["sla_violation_share"] - 1.0)


def main() -> None:
    """Print each space, how many were found within a hundredth, and how much of the plateaus."""
    found, plateaus = [], []
    for case in cases():
        lab = Lab(case.scenario, trace=case.trace, workers=2)
        best = optimize(lab, case.axes, case.goal)
        rows = Lab(case.scenario, trace=case.trace, workers=2).rows(combinations(case.axes))
        true = min(rows, key=case.goal.rank)
        off = _off(best, true, case.goal)
        found.append(off)
        share = plateau_share(best, rows, case.goal)
        plateaus.append(share)
        print(
            f"{case.name:8} {100 * off:6.2f} % off, {best.replays / len(rows):.3f} of the replays, "
            f"{share:.2f} of the plateau"
        )
    near = sum(off <= WITHIN for off in found)
    print(f"within 1 %: {near} of {len(found)}; the worst {100 * max(found):.1f} % off")
    print(f"of the plateaus, on average: {sum(plateaus) / len(plateaus):.2f}")


if __name__ == "__main__":
    main()
