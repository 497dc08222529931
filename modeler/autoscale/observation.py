"""What a policy sees, and the one shape every policy has.

A policy is a function ``decide(event, obs, params, state, out) -> int``:

* ``event``: why it was called (`BUCKET`, `TICK`, `ARRIVAL`, `DEPARTURE`, `WAKE`);
* ``obs``: the observation, a float64 vector indexed by the constants below;
* ``params``: its settings, fixed for the run;
* ``state``: its own memory, zero at the start of the run;
* ``out``: where it writes its answer (`OUT_DESIRED`, `OUT_METRIC`), and when it wants to be called
  again beside its clock (`OUT_WAKE`): the event `WAKE` comes at that instant, once.

It returns a reason code (see `REASONS`); 0 means "nothing to say". It never reads a clock: time is
``obs[NOW]``. The engine clamps the answer to [min, max] and carries it out.

The compiled loop takes a policy as a first-class function of the one signature `SIGNATURE`, so the
loop is compiled once, whatever the policy.
"""

from __future__ import annotations

from typing import Final

from numba import types

_VECTOR: Final = types.Array(types.float64, 1, "C")
SIGNATURE: Final = types.int64(types.int64, _VECTOR, _VECTOR, _VECTOR, _VECTOR)
FUNCTION: Final = types.FunctionType(SIGNATURE)

# Events. A bucket closes before the arrivals of the same instant, a tick comes after them.
BUCKET: Final = 1
TICK: Final = 2
ARRIVAL: Final = 4
DEPARTURE: Final = 8
WAKE: Final = 16
# Hooks without an event of their own: an `ARRIVAL` while no replica is asked for, and one that has
# to wait. The first costs nothing while replicas are asked for.
FROM_ZERO: Final = 32
WAITS: Final = 64

# The observation.
NOW: Final = 0  # seconds since the trace's origin [s]
READY: Final = 1  # replicas that serve [replicas]
PENDING: Final = 2  # replicas requested and not yet ready [replicas]
DESIRED: Final = 3  # the capacity last asked for [replicas]
MIN: Final = 4  # lower bound of desired capacity [replicas]
MAX: Final = 5  # upper bound of desired capacity [replicas]
QUEUED: Final = 6  # requests waiting [requests]
IN_FLIGHT: Final = 7  # requests in service, kept only for policies that ask [requests]
ARRIVED: Final = 8  # requests that have arrived since the start [requests]
INVOCATIONS: Final = 9  # sum of 1 / ready replicas over this bucket's arrivals [requests/replica]
IN_FLIGHT_SECONDS: Final = 10  # integral of requests in service [request s]
QUEUED_SECONDS: Final = 11  # integral of requests waiting [request s]
READY_SECONDS: Final = 12  # integral of ready replicas [replica s]
ACTIVITY_DONE: Final = 13  # when the last scaling activity completed, inf while one runs [s]
SLOTS: Final = 14  # requests a replica serves at once [requests/replica]
WALL: Final = 15  # seconds since a midnight of the wall clock, UTC [s]
RECENT: Final = 16  # replicas ready for less than the policy's ``recent_s`` [replicas]
REFUSED: Final = 17  # requests refused since the start [requests]
UNPLACED: Final = 18  # the part of them refused because no replica was there [requests]
INSTANCES: Final = 19  # instances on the bill beneath the replicas [instances]
OBS_SIZE: Final = 24

OUT_DESIRED: Final = 0
OUT_METRIC: Final = 1
OUT_WAKE: Final = 2  # inf: not [s]
OUT_SIZE: Final = 3

# Reasons. Names of not-scaled reasons are the platform's own where it has them
# (Application Auto Scaling, DescribeScalingActivities, NotScaledReasons).
NOTHING: Final = 0
SCALED_OUT: Final = 1
SCALED_IN: Final = 2
AT_MAX: Final = 3
AT_MIN: Final = 4
AT_DESIRED: Final = 5
UNSCALABLE: Final = 6
SCALE_IN_COOLDOWN: Final = 7
SCHEDULED: Final = 8  # new bounds moved the capacity; the engine's own, no policy returns it
ANTICIPATED_FLAPPING: Final = 20
NOT_AGREED: Final = 21  # another policy on the target is not ready to scale in
WARMING_UP: Final = 22  # instances that are warming up hold a removal back
# Kubernetes: conditions of the HorizontalPodAutoscaler, events of the ScaledObject.
TOO_MANY: Final = 40
TOO_FEW: Final = 41
UP_LIMIT: Final = 42
DOWN_LIMIT: Final = 43
UP_STABILIZED: Final = 44
DOWN_STABILIZED: Final = 45
FAILED_METRICS: Final = 46
SCALER_COOLDOWN: Final = 47

REASONS: Final[dict[int, str]] = {
    SCALED_OUT: "ScaledOut",
    SCALED_IN: "ScaledIn",
    AT_MAX: "AlreadyAtMaxCapacity",
    AT_MIN: "AlreadyAtMinCapacity",
    AT_DESIRED: "AlreadyAtDesiredCapacity",
    UNSCALABLE: "TargetServicePutResourceAsUnscalable",
    SCALE_IN_COOLDOWN: "ScaleInCooldown",
    SCHEDULED: "ScheduledAction",
    ANTICIPATED_FLAPPING: "AutoScalingAnticipatedFlapping",
    NOT_AGREED: "ScaleInNotAgreed",
    WARMING_UP: "InstanceWarmup",
    TOO_MANY: "TooManyReplicas",
    TOO_FEW: "TooFewReplicas",
    UP_LIMIT: "ScaleUpLimit",
    DOWN_LIMIT: "ScaleDownLimit",
    UP_STABILIZED: "ScaleUpStabilized",
    DOWN_STABILIZED: "ScaleDownStabilized",
    FAILED_METRICS: "FailedComputeMetricsReplicas",
    SCALER_COOLDOWN: "ScalerCooldown",
}
