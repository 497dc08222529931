"""Vary: many scenarios from one, replayed side by side, ending in a verdict.

Reading guide: `sweep`, then `grid` (which scenarios), `presets` (every policy on its platform) and
`verdict` (what they say); `replay` looks at one scenario closely, `doctor` before any replay.
`lab` replays what a study asks for: `optimize`, `goldilocks_size`, `headroom`, `growth`,
`breakeven`, `tornado`, `value`, `spot`; `compare` holds two scenarios against each other with the
replicates of `bands`; `jobs` performs and keeps.
"""

from __future__ import annotations

from modeler.study.backtest import BacktestError, backtest, read_seen
from modeler.study.best import best_timeline
from modeler.study.breakeven import Breakeven, breakeven
from modeler.study.certainty import Certainty
from modeler.study.commit import CommitError
from modeler.study.committed import Committed, commit
from modeler.study.compare import CompareError, compare, compare_rows
from modeler.study.comparison import Comparison
from modeler.study.diverge import Divergence, first_divergence, settings_changed
from modeler.study.doctor import Diagnosis, doctor
from modeler.study.explain import explain_figure
from modeler.study.goal import Goal, GoalError
from modeler.study.goldilocks_size import GoldilocksSize, goldilocks_size
from modeler.study.growth import Growth, growth
from modeler.study.headroom import Headroom, headroom
from modeler.study.incident import Incident, incident
from modeler.study.incident_window import IncidentError
from modeler.study.kept import Kept, KeptError, kept_row
from modeler.study.lab import Lab
from modeler.study.optimize import Optimum, optimize
from modeler.study.plan import plan
from modeler.study.presets import PRESETS, Preset, is_preset, presets_of
from modeler.study.replay import Replay, replay
from modeler.study.result import SweepResult
from modeler.study.rows import Interrupted
from modeler.study.runs import list_runs, prune, read_run
from modeler.study.space import space_of
from modeler.study.spot import SpotError, spot
from modeler.study.spot_result import SpotResult
from modeler.study.sweep import Status, sweep
from modeler.study.tornado import tornado
from modeler.study.tornado_result import Tornado
from modeler.study.value import start_value
from modeler.study.value_result import StartValue

__all__ = [
    "PRESETS",
    "BacktestError",
    "Breakeven",
    "Certainty",
    "CommitError",
    "Committed",
    "CompareError",
    "Comparison",
    "Diagnosis",
    "Divergence",
    "Goal",
    "GoalError",
    "GoldilocksSize",
    "Growth",
    "Headroom",
    "Incident",
    "IncidentError",
    "Interrupted",
    "Kept",
    "KeptError",
    "Lab",
    "Optimum",
    "Preset",
    "Replay",
    "SpotError",
    "SpotResult",
    "StartValue",
    "Status",
    "SweepResult",
    "Tornado",
    "backtest",
    "best_timeline",
    "breakeven",
    "commit",
    "compare",
    "compare_rows",
    "doctor",
    "explain_figure",
    "first_divergence",
    "goldilocks_size",
    "growth",
    "headroom",
    "incident",
    "is_preset",
    "kept_row",
    "list_runs",
    "optimize",
    "plan",
    "presets_of",
    "prune",
    "read_run",
    "read_seen",
    "replay",
    "settings_changed",
    "space_of",
    "spot",
    "start_value",
    "sweep",
    "tornado",
]
