"""Decide: one file a policy; observation, settings, memory and time -> capacity and why.

Reading guide: `observation` (what a policy sees and answers), `target_tracking` (the pattern of
one), `build` (from the scenario's block to a policy).
"""

from __future__ import annotations

from modeler.autoscale.policy import Clock, Policy

__all__ = ["Clock", "Policy"]
