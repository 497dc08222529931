"""A slow, plain simulator of replicas that batch: every step is one event, nothing is added up.

Written from the rules and not from the compiled code: sequences are objects in lists, a step is
counted from what is in it, and the fleet is fixed, some of it ready later than others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INF = float("inf")


@dataclass(eq=False)
class Sequence:
    ordinal: int
    arrival: float
    prompt: float
    output: float
    put_out: int = 0
    filled: float = 0.0
    decodes: bool = False
    start: float = INF
    token: float = INF
    deadline: float = INF
    end: float = INF
    outcome: str = ""
    replica: int = -1

    @property
    def need(self) -> float:
        """Tokens that have to pass through before the next comes out."""
        return max(self.prompt + self.put_out, 1.0)

    @property
    def cached(self) -> float:
        return self.prompt + self.put_out if self.decodes else self.need


@dataclass(eq=False)
class Replica:
    ordinal: int
    ready: float
    batch: list[Sequence] = field(default_factory=list)
    line: list[Sequence] = field(default_factory=list)
    step_ends: float = INF
    # What the running step does: (sequence, tokens of its prompt) and those that decode.
    fed: list[tuple[Sequence, float]] = field(default_factory=list)
    decoding: list[Sequence] = field(default_factory=list)

    @property
    def cached(self) -> float:
        return sum(one.cached for one in self.batch)


class NaiveBatching:
    def __init__(
        self, law, requests, *, ready, slots, budget, mixed=True, router="central",
        queue_limit=None, queue_timeout_s=INF, client_timeout_s=INF,
    ):  # fmt: skip
        self.law, self.slots, self.budget, self.mixed = law, slots, budget, mixed
        self.router, self.queue_limit = router, queue_limit
        self.queue_timeout_s, self.client_timeout_s = queue_timeout_s, client_timeout_s
        self.sequences = [Sequence(k, *row) for k, row in enumerate(requests)]
        self.replicas = [Replica(k, at) for k, at in enumerate(ready)]
        self.line: list[Sequence] = []
        self.turn = 0
        self.put_back = 0
        self.stepping_s = 0.0

    def run(self):
        coming = list(self.sequences)
        rising = sorted(self.replicas, key=lambda one: (one.ready, one.ordinal))
        self.up: list[Replica] = []
        while True:
            ends = min((one.step_ends for one in self.up), default=INF)
            rises = rising[0].ready if rising else INF
            waiting = self.waiting()
            leaves = min((one.deadline for one in waiting), default=INF)
            comes = coming[0].arrival if coming else INF
            now = min(ends, rises, leaves, comes)
            if now == INF:
                break
            if ends == now:
                self.end_step(next(one for one in self.up if one.step_ends == now), now)
            elif rises == now:
                replica = rising.pop(0)
                self.up.append(replica)
                self.begin_step(replica, now)
            elif leaves == now:
                self.give_up(next(one for one in waiting if one.deadline == now), now)
            else:
                self.arrive(coming.pop(0), now)
        return self

    def waiting(self):
        lines = [self.line, *(one.line for one in self.up)]
        return [one for line in lines for one in line if one.start == INF]

    def fits(self, replica, sequence):
        return (
            len(replica.batch) < self.slots
            and not replica.line
            and replica.cached + sequence.need <= self.law.cache_tokens
        )

    def arrive(self, sequence, now):
        if sequence.prompt + max(sequence.output, 1.0) - 1.0 > self.law.cache_tokens:
            self.end(sequence, now, "rejected")
            return
        sequence.deadline = now + min(self.queue_timeout_s, self.client_timeout_s)
        if self.router == "central":
            places = [one for one in self.up if self.fits(one, sequence)] if not self.line else []
            to = min(places, key=lambda one: len(one.batch), default=None)
            line, waits = self.line, len(self.line)
        else:
            if self.router == "round_robin":
                chosen = self.up[self.turn % len(self.up)]
                self.turn += 1
            else:
                chosen = min(self.up, key=lambda one: len(one.batch) + len(one.line))
            to = chosen if self.fits(chosen, sequence) else None
            line = chosen.line
            waits = sum(1 for one in line if one.start == INF)
        if to is not None:
            self.enter(to, sequence, now)
            if to.step_ends == INF:
                self.begin_step(to, now)
        elif self.queue_limit is not None and waits >= self.queue_limit:
            self.end(sequence, now, "rejected")
        else:
            line.append(sequence)

    def give_up(self, sequence, now):
        for line in (self.line, *(one.line for one in self.up)):
            if sequence in line:
                line.remove(sequence)
        self.end(sequence, now, "timed_out")

    def enter(self, replica, sequence, now):
        replica.batch.append(sequence)
        sequence.filled, sequence.decodes = 0.0, False
        sequence.start = min(sequence.start, now)
        sequence.replica = replica.ordinal

    def begin_step(self, replica, now):
        while replica.cached > self.law.cache_tokens and len(replica.batch) > 1:
            replica.line.insert(0, replica.batch.pop())
            replica.line[0].decodes = False
            self.put_back += 1
        while len(replica.batch) < self.slots:
            line = replica.line or (self.line if self.router == "central" else [])
            if not line or replica.cached + line[0].need > self.law.cache_tokens:
                break
            self.enter(replica, line.pop(0), now)
        replica.fed, replica.decoding = [], [one for one in replica.batch if one.decodes]
        fills = [one for one in replica.batch if not one.decodes]
        left = self.budget
        if fills and not self.mixed:
            replica.decoding = []
        left -= len(replica.decoding)
        tokens = looked_back = 0.0
        for one in fills:
            taken = min(left, one.need - one.filled)
            if taken > 0:
                replica.fed.append((one, taken))
                left -= taken
                tokens += taken
                # The k-th token of a chunk looks back on what is there and on half of the chunk.
                looked_back += taken * (one.filled + taken / 2)
        if not replica.batch:
            replica.step_ends = INF
            return
        context = sum(one.cached for one in replica.decoding)
        seconds = self.law.step_s(len(replica.decoding), context, int(tokens), looked_back)
        self.stepping_s += seconds
        replica.step_ends = now + seconds

    def end_step(self, replica, now):
        for one in replica.decoding:
            one.put_out += 1
        for one, taken in replica.fed:
            one.filled += taken
            if one.filled == one.need:
                one.put_out += 1
                one.decodes = True
                one.token = min(one.token, now)
        for one in list(replica.batch):
            if one.decodes and one.put_out >= one.output:
                replica.batch.remove(one)
                late = now - one.arrival > self.client_timeout_s
                self.end(
                    one,
                    one.arrival + self.client_timeout_s if late else now,
                    "timed_out" if late else "served",
                )
        self.begin_step(replica, now)

    def end(self, sequence, now, outcome):
        sequence.end, sequence.outcome = now, outcome
