"""Run: arrivals in; request, replica and decision records out.

Reading guide: `run` (one scenario), `simulate` (one run of the engine), `engine` and `quiet` (the
compiled loop), `fleet` (what happens to replicas), `fates`, `routed` and `attempts` (what may
happen to a request beside one queue), `layout` (what the loop keeps).
"""

from __future__ import annotations

from modeler.replay.errors import StartsTooSlowly
from modeler.replay.fates import Fates
from modeler.replay.result import Decision, Result
from modeler.replay.run import Run, run
from modeler.replay.simulate import Limits, Work, simulate

__all__ = [
    "Decision",
    "Fates",
    "Limits",
    "Result",
    "Run",
    "StartsTooSlowly",
    "Work",
    "run",
    "simulate",
]
