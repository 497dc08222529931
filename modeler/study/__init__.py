"""Vary: many scenarios from one, replayed side by side, ending in a verdict.

Reading guide: `sweep`, then `grid` (which scenarios), `presets` (every policy on its platform) and
`verdict` (what they say); `replay` looks at one scenario closely, `doctor` before any replay.
"""

from __future__ import annotations

from modeler.study.backtest import BacktestError, backtest, read_seen
from modeler.study.best import best_timeline
from modeler.study.doctor import Diagnosis, doctor
from modeler.study.presets import PRESETS, Preset, is_preset, presets_of
from modeler.study.replay import Replay, replay
from modeler.study.rows import Interrupted
from modeler.study.sweep import Status, SweepResult, sweep

__all__ = [
    "PRESETS",
    "BacktestError",
    "Diagnosis",
    "Interrupted",
    "Preset",
    "Replay",
    "Status",
    "SweepResult",
    "backtest",
    "best_timeline",
    "doctor",
    "is_preset",
    "presets_of",
    "read_seen",
    "replay",
    "sweep",
]
