"""Seconds of steps of a batch, added up: `predict.latency.step_law` in the compiled loop."""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import batch_layout as b


@inner()
def _read_s(law, tokens):  # type: ignore[no-untyped-def]
    """Reading the weights for a step over so many tokens. [s]"""
    last = len(law) - b.K_READ - 1
    return law[b.K_READ + min(int(tokens) - 1, last)]


@inner()
def step_s(law, decoding, context, prompt, looked_back):  # type: ignore[no-untyped-def]
    """One step. [s]"""
    memory = _read_s(law, decoding + prompt) + context * law[b.K_CACHE]
    work = decoding * law[b.K_TOKEN] + context * law[b.K_CONTEXT]
    work += prompt * law[b.K_PROMPT] + looked_back * law[b.K_PROMPT_CONTEXT]
    busy = max(memory, work) + law[b.K_OVERHEAD]
    if prompt > 0.0:
        busy = max(busy, law[b.K_FLOOR])
    return busy + prompt * law[b.K_EXCHANGE]


@inner()
def _line_sum(at_first, growth, first, count):  # type: ignore[no-untyped-def]
    """``at_first + growth j`` summed over j = first .. first + count - 1."""
    return count * at_first + growth * (count * first + 0.5 * count * (count - 1.0))


@inner()
def stretch_s(law, decoding, context, steps):  # type: ignore[no-untyped-def]
    """Decoding steps in a row, each looking back on one more token a sequence. [s]

    Memory and arithmetic each grow by the same amount from step to step, so the larger of the two
    changes at most once, and each part is an arithmetic series.
    """
    memory = _read_s(law, decoding) + context * law[b.K_CACHE]
    work = decoding * law[b.K_TOKEN] + context * law[b.K_CONTEXT]
    memory_grows, work_grows = decoding * law[b.K_CACHE], decoding * law[b.K_CONTEXT]
    if memory < work or (memory == work and memory_grows < work_grows):
        memory, work = work, memory
        memory_grows, work_grows = work_grows, memory_grows
    # The first is the larger now; the second overtakes it once if it grows faster.
    before = steps
    if work_grows > memory_grows:
        before = min(steps, float(int((memory - work) / (work_grows - memory_grows))) + 1.0)
    total = _line_sum(memory, memory_grows, 0.0, before)
    total += _line_sum(work, work_grows, before, steps - before)
    return total + steps * law[b.K_OVERHEAD]


@inner()
def steps_until(law, decoding, context, most, seconds):  # type: ignore[no-untyped-def]
    """The fewest steps of ``1 .. most`` that take at least `seconds`; `most` if none do."""
    low, high = 1.0, most
    while low < high:
        middle = float(int(0.5 * (low + high)))
        if stretch_s(law, decoding, context, middle) >= seconds:
            high = middle
        else:
            low = middle + 1.0
    return low


@inner()
def alone_s(law, prompt, output):  # type: ignore[no-untyped-def]
    """First token and whole of a request that has a replica to itself. [s, s]"""
    first = 0.0
    filled = 0.0
    need = max(prompt, 1.0)
    while filled < need:
        taken = min(need - filled, law[b.K_BUDGET])
        first += step_s(law, 0.0, 0.0, taken, taken * filled + 0.5 * taken * taken)
        filled += taken
    whole = first
    if output > 1.0:
        whole += stretch_s(law, 1.0, prompt + 1.0, output - 1.0)
    return first, whole
