"""What replicas that batch continuously keep beside the engine's own memory, by name."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types

# Places of the law of a step; the table of reading the weights follows.
K_CACHE: Final = 0  # a cached token [s]
K_TOKEN: Final = 1  # a decoded token [s]
K_CONTEXT: Final = 2  # a token looked back on in decoding [s]
K_PROMPT: Final = 3  # a prompt token [s]
K_PROMPT_CONTEXT: Final = 4  # a token looked back on by a prompt token [s]
K_OVERHEAD: Final = 5  # a step [s]
K_FLOOR: Final = 6  # a step with prompt tokens, at least [s]
K_EXCHANGE: Final = 7  # a prompt token, among devices [s]
K_CAPACITY: Final = 8  # tokens whose cache fits
K_BUDGET: Final = 9  # tokens of a step
K_MIXED: Final = 10  # whether decoding goes on in a step with prompt tokens
K_READ: Final = 11

# Places of the law of dynamic batching; a batch of k takes what stands at k. [s]
G_DELAY: Final = 0  # how long the first may wait for more to come [s]

# What `layout.BATCHED` says.
CONTINUOUS, DYNAMIC = 1, 2

# Columns of a seat: the batch of one replica, ready or draining. Counts are whole numbers.
S_REPLICA: Final = 0  # its ordinal; NOBODY: the seat is free
S_RUNNING: Final = 1  # sequences in the batch
S_DECODING: Final = 2  # of those, past their prompt
S_CONTEXT: Final = 3  # tokens that these look back on in the next step
S_HELD: Final = 4  # tokens of those whose prompts are not through
S_STEPS: Final = 5  # decoding steps done
S_SINCE: Final = 6  # when the steps that are running began [s]
S_PLANNED: Final = 7  # how many steps run until the batch next changes
S_NEXT: Final = 8  # when that is; infinite for a replica without work [s]
S_ENTERED: Final = 9  # sequences that were there when they began
S_LINE_HEAD: Final = 10  # who waits at this replica
S_LINE_TAIL: Final = 11
S_LEAVE: Final = 12  # when the first of them gives up [s]
S_DRAINING: Final = 13
SEAT_COLUMNS: Final = 14

# Further columns of the table of attempts, all of which have a row from their arrival to their end.
# There the service is the prompt, and the judged time the output. [tokens]
T_PROMPT, T_OUTPUT = 3, 4
R_DONE: Final = 6  # tokens put out before the prompt last went through
R_FILLED: Final = 7  # tokens of the prompt that are through; infinite once all are. Of dynamic
# batching: since when it waits [s]
R_LAST: Final = 8  # the seat's step with which it ends
R_START: Final = 9  # when it came into the batch; infinite before [s]
R_TOKEN: Final = 10  # when its first token came; infinite before [s]
R_OVERLAP: Final = 11  # seconds with pending replicas up to then [s]
RIDE_COLUMNS: Final = 12


class Batch(NamedTuple):
    """Arrays of a run whose replicas batch; s seats, b sequences at most, n requests."""

    law: Any  # float64[K_READ + k]
    seats: Any  # float64[s, SEAT_COLUMNS]
    members: Any  # int64[s, b] rows of the attempts in the batch, first come first
    arrival_s: Any  # float64[n] the chunk [s]
    prompt: Any  # float64[n] [tokens]
    output: Any  # float64[n] [tokens]
    between: Any  # int64[BUCKETS] time per output token after the first


_F1 = types.Array(types.float64, 1, "C")
_CHUNK = types.Array(types.float64, 1, "C", readonly=True)
BATCH_TYPE: Final = types.NamedTuple(
    (
        _F1,
        types.Array(types.float64, 2, "C"),
        types.Array(types.int64, 2, "C"),
        _CHUNK,
        _CHUNK,
        _CHUNK,
        types.Array(types.int64, 1, "C"),
    ),
    Batch,
)


def no_batch() -> Batch:
    """Arrays of a run whose replicas have slots."""
    nothing = np.zeros(0)
    nothing.flags.writeable = False
    return Batch(
        law=np.zeros(0),
        seats=np.zeros((0, SEAT_COLUMNS)),
        members=np.zeros((0, 0), dtype=np.int64),
        arrival_s=nothing,
        prompt=nothing,
        output=nothing,
        between=np.zeros(0, dtype=np.int64),
    )
