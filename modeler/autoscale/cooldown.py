"""Cooldowns of a scalable target: credit for what is being added, a lock on removals.

A cooldown starts when its activity completes. After a scale-out it is no lock: until it has ended,
the capacity from before the addition is what a relative adjustment counts from, so a larger
addition passes at once, less what was added already, and an equal or smaller one changes nothing.
After a scale-in it locks further removals; a scale-out goes through and ends it. Scheduled actions
ask neither.

With several policies the length is that of the policy that began the activity (assumed).

Source: application/userguide/target-tracking-scaling-policy-overview.html and
step-scaling-policy-overview.html, read 2026-09.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modeler.compiled import kernel

# Places in the memory, from an offset of 0.
OUT_BASE: Final = 0  # capacity before the additions that are credited [replicas]
OUT_DONE: Final = 1  # completion of the last one [s]; inf while it runs, 0 when none is credited
OUT_LENGTH: Final = 2  # its cooldown [s]
IN_DONE: Final = 3  # completion of the last removal [s]; inf while it runs, 0 when none locks
IN_LENGTH: Final = 4
SIZE: Final = 5


@kernel()
def complete(memory, now, done):  # type: ignore[no-untyped-def]
    """Note the completion at `done` of the activity under way; inf when it still runs. [s]"""
    if done <= now:
        if memory[OUT_DONE] == np.inf:
            memory[OUT_DONE] = done
        if memory[IN_DONE] == np.inf:
            memory[IN_DONE] = done


@kernel()
def credited(memory, now):  # type: ignore[no-untyped-def]
    """Whether earlier additions count toward the next one."""
    done = memory[OUT_DONE]
    # A completion at t = 0 would read as none: the decision itself came later than that.
    return done != 0.0 and now < done + memory[OUT_LENGTH]


@kernel()
def base_of(memory, now, desired):  # type: ignore[no-untyped-def]
    """Capacity that a relative addition counts from. [replicas]"""
    return memory[OUT_BASE] if credited(memory, now) else desired


@kernel()
def locked(memory, now):  # type: ignore[no-untyped-def]
    """Whether a removal has to wait."""
    done = memory[IN_DONE]
    return done != 0.0 and now < done + memory[IN_LENGTH]


@kernel()
def scaled_out(memory, now, before, length):  # type: ignore[no-untyped-def]
    """Begin an addition to a capacity of `before`; it ends what is left of a removal's lock."""
    memory[OUT_BASE] = base_of(memory, now, before)
    memory[OUT_DONE] = np.inf
    memory[OUT_LENGTH] = length
    memory[IN_DONE] = 0.0


@kernel()
def scaled_in(memory, length):  # type: ignore[no-untyped-def]
    """Begin a removal; nothing is credited any more."""
    memory[IN_DONE] = np.inf
    memory[IN_LENGTH] = length
    memory[OUT_DONE] = 0.0
