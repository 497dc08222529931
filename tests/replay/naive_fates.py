"""The slow simulator with all that may befall a request, written from the words alone.

Replicas really have queues of their own here, a held request really sits with the activator, and
whoever comes back does so as an arrival: nothing is known before it happens, except where a
draining replica must say when it will stop.
"""

from __future__ import annotations

import heapq
from collections import deque
from fractions import Fraction

import numpy as np
from naive import ARRIVAL, FINISH, INF, READY, TIMEOUT, Naive, Replica

from modeler.autoscale import observation as o
from traces.draws import GOLDEN, mix, stream_key

# Held requests go on after all replicas of the instant are ready, and before anyone gives up.
RELEASE = (READY + TIMEOUT) / 2
MASK = (1 << 64) - 1


def draw(seed: int, ordinal: int, attempt: int, use: int) -> float:
    """A uniform draw by request, attempt and use: 0 for the router, 1 for the pause."""
    word = int(stream_key(seed, "fate"))
    for count in (ordinal + 1, 2 * attempt + use + 1):
        word = int(mix(np.array([(word + count * GOLDEN) & MASK], dtype=np.uint64))[0])
    return min(((word >> 11) + 0.5) * 2.0**-53, 1.0 - 2.0**-53)


class NaiveFates(Naive):
    """Beside the base: the line of the central queue, those held, and each replica's own line."""

    def run(self) -> Naive:
        self.fates = self.limits.fates
        self.line: deque[int] = deque()
        self.held: deque[int] = deque()
        self.lines: dict[int, deque[int]] = {}
        self.attempt = [0] * len(self.requests)
        self.came = [r.arrival for r in self.requests]
        self.patience_id = [0] * len(self.requests)
        self.turn = self.unplaced = self.comebacks = 0
        super().run()
        return self

    # --- who is there ---

    def seen(self) -> list[Replica]:
        """The router's list: ready ones, the longest ready first, then those falsely so."""
        fates = self.fates
        ready = sorted(self.ready(), key=lambda r: (r.ready, r.ordinal))
        if fates.false_ready_s == 0.0:
            return ready
        return ready + [r for r in self.pending() if r.ready - fates.false_ready_s <= self.now]

    def own_line(self, replica: Replica) -> deque[int]:
        return self.lines.setdefault(replica.ordinal, deque())

    def outstanding(self, replica: Replica) -> int:
        return len(replica.finishes) + len(self.own_line(replica))

    def choose(self, k: int, seen: list[Replica]) -> Replica:
        router = self.fates.router
        if router == "random":
            return seen[int(draw(self.fates.seed, k, self.attempt[k], 0) * len(seen))]
        if router == "round_robin":
            self.turn += 1
            return seen[(self.turn - 1) % len(seen)]
        return min(seen, key=self.outstanding)

    # --- an attempt ---

    def arrive(self, k: int) -> None:
        self.to_come -= 1
        self.arrived += 1
        self.comebacks += self.attempt[k] > 0
        self.came[k] = self.now
        if self.ready():
            self.invocations += Fraction(1, len(self.ready()))
        self.place(k)
        if self.policy.hooks & o.ARRIVAL:
            self.ask(o.ARRIVAL)

    def place(self, k: int) -> None:
        fates, seen = self.fates, self.seen()
        central = fates.router == "central"
        if not seen and not (central and fates.from_zero == "queue"):
            self.from_zero(k)
            return
        if central:
            green = [r for r in seen if r.state == "pending"]
            hit = green and draw(fates.seed, k, self.attempt[k], 0) * len(seen) < len(green)
            replica = green[0] if hit else None
        else:
            replica = self.choose(k, seen)
        if replica is not None and replica.state == "pending":
            self.refuse(k, "cold_start")
            return
        if replica is None:
            line = self.line
            free = [r for r in self.ready() if r.free_since() < INF]
            if free:
                assert not line
                longest = min(r.free_since() for r in free)
                allowed = [r.ordinal for r in free if r.free_since() == longest]
                replica = self.replicas[self.allowed(k, allowed)]
        else:
            line = self.own_line(replica)
        if replica is not None and replica.free_since() < INF:
            self.serve_one(k, replica)
            return
        limit = self.limits.queue_limit
        if limit is not None and len(line) >= limit:
            self.self_cleared += not self.queue
            self.refuse(k, "queue_limit")
            return
        line.append(k)
        self.wait(k, self.now + self.limits.queue_timeout_s)

    def allowed(self, k: int, ordinals: list[int]) -> int:
        """The engine's choice among slots free equally long, where it left a record of it."""
        chosen = ordinals[0] if self.chosen is None else int(self.chosen[k])
        # An attempt whose client gave up and came back leaves no record.
        unknown = self.fates.retry_client_timeouts and self.attempt[k] < self.fates.retries
        assert chosen in ordinals or unknown, f"request {k}: {chosen}, free are {ordinals}"
        return chosen if chosen in ordinals else ordinals[0]

    def from_zero(self, k: int) -> None:
        fates = self.fates
        holds = fates.from_zero == "hold"
        room = not holds or fates.hold_limit is None or len(self.held) < fates.hold_limit
        if fates.from_zero != "fail" and room:
            self.held.append(k)
            patience = fates.hold_timeout_s if holds else self.limits.queue_timeout_s
            self.wait(k, self.now + patience)
            return
        self.unplaced += 1
        self.self_cleared += not self.queue
        if fates.from_zero != "fail":
            cause = "queue_limit"
        elif self.pending():
            cause = "cold_start"
        elif self.desired >= self.policy.maximum:
            cause = "replica_cap"
        else:
            cause = "decision"
        self.refuse(k, cause)

    def wait(self, k: int, deadline: float) -> None:
        if k not in self.queue:
            if not self.queue:
                self.breach = {"opened": self.now}
            self.queue.append(k)
        self.requests[k].queued = True
        self.peak_queue = max(self.peak_queue, len(self.queue))
        self.patience_id[k] += 1
        deadline = min(deadline, self.came[k] + self.limits.client_timeout_s)
        self.push(deadline, TIMEOUT, k, self.patience_id[k])

    def waits_no_longer(self, k: int) -> None:
        if k in self.queue:
            self.queue.remove(k)
        for line in (self.line, self.held, *self.lines.values()):
            if k in line:
                line.remove(k)
        self.patience_id[k] += 1

    def serve_one(self, k: int, replica: Replica) -> None:
        self.waits_no_longer(k)
        request, attempt = self.requests[k], self.attempt[k]
        replica.slots[replica.slots.index(replica.free_since())] = None
        finish = self.now + request.service
        replica.finishes[(k, attempt)] = finish  # type: ignore[index]
        self.push(finish, FINISH, k, (replica.ordinal, attempt))
        self.busy_s += request.service
        gone = self.came[k] + self.limits.client_timeout_s
        late = finish - self.came[k] > self.limits.client_timeout_s
        if late and self.fates.retry_client_timeouts and self.comes_back(k, gone):
            return
        request.replica, request.start = replica.ordinal, self.now
        request.outcome, request.end = ("timed_out", gone) if late else ("served", finish)
        request.queued |= attempt > 0
        self.waited += request.queued
        if late or request.start + request.judged - request.arrival > self.limits.threshold_s:
            request.cause = self.cause(request, self.now)

    # --- how an attempt ends ---

    def refuse(self, k: int, cause: str) -> None:
        self.waits_no_longer(k)
        if self.comes_back(k, self.now):
            return
        self.give_up(k, "rejected")
        if self.requests[k].cause == "queue_limit":
            self.requests[k].cause = cause

    def comes_back(self, k: int, failed: float) -> bool:
        fates = self.fates
        if self.attempt[k] >= fates.retries:
            return False
        growth = fates.retry_factor ** self.attempt[k]
        pause = min(fates.retry_base_s * growth, fates.retry_max_s)
        if fates.retry_jitter == "full":
            pause *= draw(fates.seed, k, self.attempt[k], 1)
        self.attempt[k] += 1
        self.to_come += 1
        self.push(failed + pause, ARRIVAL, k, k)
        return True

    # --- events ---

    def handle(self, time: float, rank: int, ident: float, payload: object) -> None:
        if rank == FINISH:
            self.advance(time)
            self.ended(int(ident), payload)
            self.serve_queue()
        elif rank == RELEASE:
            self.advance(time)
            while self.held and self.seen():
                k = self.held.popleft()
                self.place(k)
                self.close_breach()
        elif rank == TIMEOUT:
            k = int(ident)
            if k in self.queue and payload == self.patience_id[k]:
                self.advance(time)
                self.waits_no_longer(k)
                by_client = self.came[k] + self.limits.client_timeout_s <= time
                again = not by_client or self.fates.retry_client_timeouts
                if not (again and self.comes_back(k, time)):
                    self.give_up(k, "timed_out")
                self.close_breach()
        else:
            super().handle(time, rank, ident, payload)

    def ended(self, k: int, payload: object) -> None:
        ordinal, attempt = payload  # type: ignore[misc]
        replica = self.replicas[ordinal]
        del replica.finishes[(k, attempt)]  # type: ignore[arg-type]
        replica.slots[replica.slots.index(None)] = self.now
        self.last_end = max(self.last_end, self.now)
        self.departed.append(k)

    def serve_queue(self) -> None:
        while True:
            while self.events and self.events[0][:2] == (self.now, FINISH):
                _, _, k, payload = heapq.heappop(self.events)
                self.ended(int(k), payload)
            free = [r for r in self.replicas if r.free_since() < INF]
            bound = [(self.lines[r.ordinal][0], r) for r in free if self.lines.get(r.ordinal)]
            ready = [r for r in free if r.state == "ready"]
            if bound:
                k, replica = min(bound, key=lambda pair: pair[0])
            elif self.line and ready:
                k = self.line[0]
                longest = min(r.free_since() for r in ready)
                allowed = [r.ordinal for r in ready if r.free_since() == longest]
                replica = self.replicas[self.allowed(k, allowed)]
            else:
                break
            self.serve_one(k, replica)
            self.close_breach()
        departed, self.departed = self.departed, []
        for _ in departed:
            if self.policy.hooks & o.DEPARTURE:
                self.ask(o.DEPARTURE)

    def become_ready(self, replica: Replica) -> None:
        super().become_ready(replica)
        self.push(self.now, RELEASE, replica.ordinal, 0)

    def set_desired(self, wanted: int) -> None:
        known = len(self.replicas)
        super().set_desired(wanted)
        if self.fates.false_ready_s > 0.0:
            for replica in self.replicas[known:]:
                green = max(self.now, replica.ready - self.fates.false_ready_s)
                self.push(green, RELEASE, replica.ordinal, 0)

    def ahead(self, replica: Replica) -> list[float]:
        """Run the replica's own line through its slots, as far as patience lasts."""
        busy = sorted(replica.finishes.values())
        for k in self.own_line(replica):
            queued = next(
                e[0] for e in self.events if e[1:3] == (TIMEOUT, k) and e[3] == self.patience_id[k]
            )
            if busy[0] <= queued:
                heapq.heapreplace(busy, busy[0] + self.requests[k].service)
        return busy
