"""AWS Lambda: how fast a function may start execution environments.

A function may start 1,000 environments every 10 seconds; what is not used is not saved up. The
documents leave two readings: a bucket of 1,000 that refills continuously at 100 a second, so that
3,500 requests at once are all started after 25 s, or 1,000 in each window of 10 s.

Source: docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modeler.compiled import kernel

NO_LIMIT: Final = 0
BUCKET: Final = 1
WINDOW: Final = 2
READINGS: Final = {"none": NO_LIMIT, "bucket": BUCKET, "window": WINDOW}
ENVIRONMENTS: Final = 1000.0
PERIOD_S: Final = 10.0
# Sums of times carry rounding: what is short of one environment by less is one.
_ROUNDING: Final = 1e-9


@kernel()
def refilled(tokens, limit, per_s, elapsed_s):  # type: ignore[no-untyped-def]
    """Environments that may be started after a bucket has refilled for a while."""
    return min(limit, tokens + per_s * elapsed_s)


@kernel()
def may_start(reading, limit, per_s, now, state):  # type: ignore[no-untyped-def]
    """Whether one more environment may be started now; takes it off the allowance if so.

    Parameters
    ----------
    reading : int. One of `READINGS`.
    limit : float. Size of the bucket, or starts in a window. [environments]
    per_s : float. Rate of refill; a window lasts ``limit / per_s``. [environments/s]
    now : float. [s]
    state : float64[2]. Of a bucket: what it held, and when; full at the start is ``(limit, 0)``.
        Of windows: starts left in the present one, and its number. Windows begin at multiples of
        their length from the start of the run (assumed).
    """
    if reading == NO_LIMIT:
        return True
    if reading == BUCKET:
        state[0] = refilled(state[0], limit, per_s, now - state[1])
        state[1] = now
    else:
        window = np.floor(now * per_s / limit + _ROUNDING)
        if window != state[1]:
            state[0] = limit
            state[1] = window
    if state[0] < 1.0 - _ROUNDING:
        return False
    state[0] -= 1.0
    return True
