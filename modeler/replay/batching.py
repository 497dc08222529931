"""Replicas that batch, continuously or dynamically: settings, and how the engine takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from modeler.predict.latency.step_law import StepLaw
from modeler.replay import batch_layout as b
from modeler.replay import layout as m
from modeler.replay.histogram import BUCKETS


@dataclass(frozen=True)
class Batching:
    """How a replica takes its steps.

    Parameters
    ----------
    law : StepLaw. Seconds of a step.
    batched_tokens : int. Tokens of a step at most: one for each sequence that decodes, and prompt
        tokens. [tokens]
    mixed : bool. Whether decoding goes on in a step with prompt tokens; otherwise it waits.
    judge_first : bool. Whether the service level is the first token's.
    """

    law: StepLaw
    batched_tokens: int
    mixed: bool = True
    judge_first: bool = False
    mode: ClassVar[int] = b.CONTINUOUS

    def batch(self, slots: int, seats: int) -> b.Batch:
        """Arrays for a run.

        Parameters
        ----------
        slots : int. Sequences in a batch at most.
        seats : int. Replicas at first; the table grows.

        Raises
        ------
        ValueError : a step has no room for a token of each sequence.
        """
        if self.mixed and self.batched_tokens < slots:
            raise ValueError(
                f"{self.batched_tokens} tokens a step are fewer than the {slots} sequences in a "
                "batch, each of which decodes one"
            )
        one = self.law
        head = [0.0] * b.K_READ
        head[b.K_CACHE], head[b.K_TOKEN], head[b.K_CONTEXT] = (
            one.cache_s,
            one.token_s,
            one.context_s,
        )
        head[b.K_PROMPT], head[b.K_PROMPT_CONTEXT] = one.prompt_s, one.prompt_context_s
        head[b.K_OVERHEAD], head[b.K_FLOOR] = one.overhead_s, one.floor_s
        head[b.K_EXCHANGE], head[b.K_CAPACITY] = one.exchange_s, one.cache_tokens
        head[b.K_BUDGET], head[b.K_MIXED] = float(self.batched_tokens), float(self.mixed)
        return _arrays(np.concatenate([head, one.read_s]), slots, seats)


@dataclass(frozen=True)
class Gathering:
    """Replicas that batch dynamically, one batch at a time.

    Parameters
    ----------
    seconds : sequence of float. What a batch of 1, 2, .. takes, up to the largest. [s]
    max_delay_s : float. How long the first of a batch may wait for more to come. [s]
    """

    seconds: tuple[float, ...]
    max_delay_s: float = 0.0
    mode: ClassVar[int] = b.DYNAMIC
    judge_first: ClassVar[bool] = False

    def batch(self, slots: int, seats: int) -> b.Batch:
        """Arrays for a run.

        Parameters
        ----------
        slots : int. Requests in a batch at most. [requests]
        seats : int. Replicas at first; the table grows.

        Raises
        ------
        ValueError : seconds of another number of sizes than `slots`.
        """
        if len(self.seconds) != slots:
            raise ValueError(f"{len(self.seconds)} sizes have seconds, a batch takes {slots}")
        return _arrays(np.array([self.max_delay_s, *self.seconds]), slots, seats)


def _arrays(law: m.Floats, slots: int, seats: int) -> b.Batch:
    return b.no_batch()._replace(
        law=law,
        seats=np.zeros((seats, b.SEAT_COLUMNS)),
        members=np.zeros((seats, slots), dtype=np.int64),
        between=np.zeros(BUCKETS, dtype=np.int64),
    )


def more_seats(w: m.Memory) -> m.Memory:
    """Room for one more replica."""
    if not w.integers[m.BATCHED] or w.integers[m.SEATS] < len(w.batch.seats):
        return w
    rows = int(w.integers[m.SEATS]) + 1
    return w._replace(
        batch=w.batch._replace(
            seats=m.grown(w.batch.seats, rows), members=m.grown(w.batch.members, rows)
        )
    )


def with_chunk(w: m.Memory, arrival_s: m.Floats, prompt: m.Floats, output: m.Floats) -> m.Memory:
    """The memory with the requests that come next within reach."""
    return w._replace(
        batch=w.batch._replace(
            arrival_s=_readonly(arrival_s), prompt=_readonly(prompt), output=_readonly(output)
        )
    )


def _readonly(values: m.Floats) -> m.Floats:
    view = values.view()
    view.flags.writeable = False
    return view
