"""AWS Lambda: how fast a function may start execution environments.

A function may start 1,000 environments every 10 seconds; what is not used is not saved up. The
documents leave two readings: a bucket of 1,000 that refills continuously at 100 a second, so that
3,500 requests at once are all started after 25 s, or 1,000 in each window of 10 s.

One environment serves one request at a time. The account's concurrency, or the function's reserved
part of it, bounds all environments together; what exceeds a limit is refused with 429. Provisioned
environments are initialised beforehand; what exceeds them starts on demand, cold.

Source: docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html and lambda-concurrency.html.
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
ACCOUNT_LIMIT: Final = 1000.0  # concurrency of an account in a region (documented default)
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


@kernel()
def startable(reading, limit, per_s, elapsed_s):  # type: ignore[no-untyped-def]
    """Environments that may be started within a while, from a full allowance. [environments]"""
    if reading == NO_LIMIT:
        return np.inf
    if reading == BUCKET:
        return limit + per_s * elapsed_s
    return limit * max(np.ceil(elapsed_s * per_s / limit - _ROUNDING), 1.0)


@kernel()
def time_to_start(reading, limit, per_s, environments):  # type: ignore[no-untyped-def]
    """Time until so many have been started, from a full allowance: 3,500 take 25 s. [s]"""
    beyond = max(environments - limit, 0.0)
    if reading == NO_LIMIT:
        return 0.0
    if reading == BUCKET:
        return beyond / per_s
    return np.ceil(beyond / limit) * limit / per_s


@kernel()
def concurrency_limit(account_limit, reserved, reserved_elsewhere):  # type: ignore[no-untyped-def]
    """Environments a function may hold: its reservation, else what others left of the account's.

    `reserved` is negative when the function has none.
    """
    if reserved >= 0.0:
        return reserved
    return max(account_limit - reserved_elsewhere, 0.0)


@kernel()
def room(limit, held):  # type: ignore[no-untyped-def]
    """Environments, or requests in flight, that fit below a limit beside those held."""
    return max(limit - held, 0.0)


@kernel()
def throttled(limit, in_flight, arriving):  # type: ignore[no-untyped-def]
    """Of simultaneous arrivals, those beyond the limit: refused, not queued. [requests]"""
    return max(arriving - room(limit, in_flight), 0.0)


@kernel()
def spill(warm, in_flight):  # type: ignore[no-untyped-def]
    """Of the requests in flight, those beyond the warm environments: each starts one. [requests]"""
    return max(in_flight - warm, 0.0)
