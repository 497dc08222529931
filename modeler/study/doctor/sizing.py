"""How many replicas a rate takes, by capacity and by a policy's target."""

from __future__ import annotations

import math

from modeler.study.doctor.facts import Facts
from modeler.study.doctor.tracked import Tracked

# What floating point may add to an exact quotient before it is rounded up.
_ROUNDING = 1e-9


def replicas_for(facts: Facts, rate_rps: float, share: float = 1.0) -> int:
    """Replicas that serve a rate with a share of their slots busy. [replicas]"""
    return max(math.ceil(rate_rps / (facts.replica_rps * share) - _ROUNDING), 1)


def needed_at(facts: Facts, one: Tracked, rate_rps: float) -> int:
    """Replicas that a target asks for at a rate, with nothing waiting. [replicas]"""
    return replicas_for(facts, rate_rps, one.share)
