"""What commitments save over replicates of the traffic: the same blocks, luck drawn anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from modeler.replay.run import Run
from modeler.study.bands import lead_of, replicate_run
from modeler.study.commit import Commitment, load_of
from modeler.study.intervals import EVERY, LEAST, LEAST_USD, Resamples, clear, paired
from traces.blocks import blocks_of


def over_replicates(
    done: Run,
    plan: str,
    found: Sequence[Commitment],
    hours: float,
    count: int,
    progress: Callable[[int], None] = lambda made: None,
) -> tuple[tuple[Commitment, ...], int]:
    """Commitments with the interval of what each saves, and the replicates that it took.

    Parameters
    ----------
    done : Run. Whose traffic is drawn again.
    plan : str. That covers it.
    found : sequence of Commitment. Held as they are: bought before the traffic is known.
    hours : float. That dollars are of. [h]
    count : int. Replicates at most; fewer where more would not say otherwise of any saving.
    progress : called with the number of replicates that are done.

    Raises
    ------
    traces.TraceError : too little traffic to draw it again.
    """
    blocks = blocks_of(done.trace)
    lead_s = min(lead_of(done.scenario), blocks.width_s)
    drawn = Resamples.of_blocks(blocks, done.scenario.seed)
    saved: list[list[float]] = [[] for _ in found]
    made = 0
    for number in range(count):
        again, from_s = replicate_run(done.scenario, done.trace, blocks, number, lead_s=lead_s)
        load, _ = load_of(again, plan, from_s=from_s)
        scale = hours / math.fsum(load.hours)
        for usd, one in zip(saved, found, strict=True):
            usd.append(scale * load.saved_usd(one.instances, one.discount))
        made = number + 1
        progress(made)
        if made >= LEAST and made % EVERY == 0 and all(clear(np.array(x), drawn) for x in saved):
            break
    intervals = [paired([0.0] * made, usd, drawn, least=LEAST_USD) for usd in saved]
    return tuple(
        replace(one, saved=interval) for one, interval in zip(found, intervals, strict=True)
    ), made
