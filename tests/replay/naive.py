"""A slow simulator of a fleet behind a queue, in plain Python, to hold the engine against.

Written from the product's words and not from its code: a list of events in order of (time, written
order, id), slots that are free or hold a request, a queue that is a list. The policy's own function
is called through its Python body. Which of several slots that are free equally long takes a request
is nobody's promise: the simulator is told what the engine chose and checks that it was allowed to.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from modeler.autoscale import observation as o
from modeler.autoscale.policy import Policy
from modeler.replay import Limits

INF = math.inf
# The written order of events at one instant; a bucket is half open, so it closes before arrivals.
FINISH, READY, TIMEOUT, BUCKET, ARRIVAL, TICK, WAKE = range(7)


@dataclass
class Request:
    arrival: float
    service: float
    judged: float
    start: float = INF
    end: float = INF
    outcome: str = ""
    cause: str = ""
    replica: int = -1
    queued: bool = False


@dataclass
class Replica:
    ordinal: int
    requested: float
    running: float
    ready: float
    drain: float = INF
    stop: float = INF
    state: str = "pending"
    # One entry a slot: free since when, or None while it holds a request.
    slots: list[float | None] = field(default_factory=list)
    finishes: dict[int, float] = field(default_factory=dict)

    def free_since(self) -> float:
        return min((s for s in self.slots if s is not None), default=INF)


class Naive:
    def __init__(
        self,
        policy: Policy,
        decide: Callable[..., int],
        requests: Sequence[Request],
        limits: Limits,
        *,
        running_s: Sequence[float],
        ready_s: Sequence[float],
        horizon_s: float,
        t0_ns: int = 0,
        chosen: Sequence[int] | None = None,
    ) -> None:
        self.policy, self.decide, self.limits = policy, decide, limits
        self.requests = list(requests)
        self.running_s, self.ready_s = running_s, ready_s
        self.horizon, self.t0_ns, self.chosen = horizon_s, t0_ns, chosen
        self.replicas: list[Replica] = []
        self.queue: deque[int] = deque()
        self.events: list[tuple[float, int, float, object]] = []
        self.now = 0.0
        self.last_end = 0.0
        self.wake = INF
        self.to_come = len(self.requests)
        self.departed: list[int] = []
        self.desired = 0
        self.pending_times: list[list[float]] = []
        self.max_times: list[list[float]] = []
        self.decisions: list[tuple[float, str, int, int, float, int, int]] = []
        self.breach: dict[str, float] | None = None
        self.measured: list[tuple[float, int, float]] = []
        self.self_cleared = self.censored = self.peak_queue = self.waited = 0
        self.busy_s = 0.0
        self.queued_s = self.ready_total_s = self.in_flight_s = self.busy_draining_s = 0.0
        self.invocations = Fraction(0)
        self.arrived = 0
        self.activity_done = 0.0
        self.obs, self.out = np.zeros(o.OBS_SIZE), np.zeros(o.OUT_SIZE)
        self.state = np.zeros(max(policy.state_size, 1))

    # --- counting ---

    def ready(self) -> list[Replica]:
        return [r for r in self.replicas if r.state == "ready"]

    def pending(self) -> list[Replica]:
        return [r for r in self.replicas if r.state == "pending"]

    def in_flight(self) -> int:
        return sum(len(r.finishes) for r in self.replicas)

    def advance(self, now: float) -> None:
        passed = now - self.now
        assert passed >= 0.0
        self.queued_s += len(self.queue) * passed
        self.ready_total_s += len(self.ready()) * passed
        self.in_flight_s += self.in_flight() * passed
        self.now = now

    # --- the run ---

    def run(self) -> Naive:
        for k in range(self.policy.initial):
            replica = Replica(k, 0.0, 0.0, 0.0)
            self.replicas.append(replica)
            self.serve(replica)
        self.desired = self.policy.initial
        wanted = min(max(self.desired, self.policy.minimum), self.policy.maximum)
        self.set_desired(wanted)
        for k, request in enumerate(self.requests):
            self.push(request.arrival, ARRIVAL, k, k)
        self.push(self.horizon, ARRIVAL, INF, None)
        clock = self.policy.clock
        self.first_bucket = self.first_after(clock.bucket_s, 0.0)
        self.first_tick = self.first_after(clock.tick_s, clock.tick_delay_s)
        self.push(self.first_bucket, BUCKET, 0, 0)
        self.push(self.first_tick, TICK, 0, 0)
        while self.events:
            time, rank, ident, payload = self.events[0]
            at_work = self.to_come or self.queue or self.in_flight()
            over = not at_work and (time, rank) >= (max(self.horizon, self.last_end), ARRIVAL)
            if over and (rank, ident) != (ARRIVAL, INF):
                break
            heapq.heappop(self.events)
            if time == INF:
                break
            self.handle(time, rank, ident, payload)
        self.end = max(self.horizon, self.last_end)
        return self

    def push(self, time: float, rank: int, ident: float, payload: object) -> None:
        heapq.heappush(self.events, (time, rank, ident, payload))

    def first_after(self, period_s: float, offset_s: float) -> float:
        """First instant after 0 that is a wall-clock multiple of the period plus the offset."""
        if period_s == INF:
            return INF
        period, offset = round(period_s * 1e9), round(offset_s * 1e9)
        wall = (self.t0_ns - offset) // period * period + offset
        while wall <= self.t0_ns:
            wall += period
        return (wall - self.t0_ns) / 1e9

    def handle(self, time: float, rank: int, ident: float, payload: object) -> None:
        if rank == FINISH:
            self.advance(time)
            self.finish(int(ident), self.replicas[payload])  # type: ignore[index]
            self.serve_queue()
        elif rank == READY:
            replica = self.replicas[int(ident)]
            if replica.state == "pending":
                self.advance(time)
                self.become_ready(replica)
        elif rank == TIMEOUT:
            if ident in self.queue:
                self.advance(time)
                self.queue.remove(int(ident))
                self.give_up(int(ident), "timed_out")
                self.close_breach()
        elif rank == ARRIVAL:
            self.advance(time)
            if ident == INF:
                if self.breach is not None and "measured" not in self.breach:
                    self.censored += 1
                    self.breach["measured"] = 0.0
            else:
                self.arrive(int(ident))
        elif rank == WAKE:
            if time == self.wake:  # otherwise the policy has changed its mind since
                self.advance(time)
                self.wake = INF
                self.ask(o.WAKE)
        else:
            self.advance(time)
            clock = self.policy.clock
            k = int(ident) + 1
            if rank == BUCKET:
                self.push(self.first_bucket + k * clock.bucket_s, BUCKET, k, k)
                self.ask(o.BUCKET)
                self.invocations = Fraction(0)
            else:
                self.push(self.first_tick + k * clock.tick_s, TICK, k, k)
                self.ask(o.TICK)

    # --- requests ---

    def arrive(self, k: int) -> None:
        self.to_come -= 1
        self.arrived += 1
        if self.ready():
            self.invocations += Fraction(1, len(self.ready()))
        if any(r.free_since() < INF for r in self.ready()):
            assert not self.queue
            self.begin(k)
        elif self.limits.queue_limit is not None and len(self.queue) >= self.limits.queue_limit:
            if not self.queue:
                self.self_cleared += 1
            self.give_up(k, "rejected")
        else:
            if not self.queue:
                self.breach = {"opened": self.now}
            self.queue.append(k)
            self.requests[k].queued = True
            self.peak_queue = max(self.peak_queue, len(self.queue))
            patience = min(self.limits.queue_timeout_s, self.limits.client_timeout_s)
            self.push(self.requests[k].arrival + patience, TIMEOUT, k, k)
        if self.policy.hooks & o.ARRIVAL:
            self.ask(o.ARRIVAL)

    def begin(self, k: int) -> None:
        """Start a request on a slot that has been free longest."""
        request = self.requests[k]
        longest = min(r.free_since() for r in self.ready())
        allowed = [r.ordinal for r in self.ready() if r.free_since() == longest]
        ordinal = allowed[0] if self.chosen is None else int(self.chosen[k])
        assert ordinal in allowed, f"request {k}: replica {ordinal}, free are {allowed}"
        replica = self.replicas[ordinal]
        replica.slots[replica.slots.index(longest)] = None
        request.replica, request.start = ordinal, self.now
        finish = self.now + request.service
        self.busy_s += request.service
        replica.finishes[k] = finish
        self.push(finish, FINISH, k, ordinal)
        client = self.limits.client_timeout_s
        request.outcome, request.end = "served", finish
        if finish - request.arrival > client:
            request.outcome, request.end = "timed_out", request.arrival + client
        if request.queued:
            self.waited += 1
        late = request.start + request.judged - request.arrival > self.limits.threshold_s
        if late or request.outcome == "timed_out":
            request.cause = self.cause(request, self.now)

    def finish(self, k: int, replica: Replica) -> None:
        del replica.finishes[k]
        replica.slots[replica.slots.index(None)] = self.now
        self.last_end = max(self.last_end, self.now)
        self.departed.append(k)

    def serve_queue(self) -> None:
        """Start who waits; all slots that become free now are free before any is taken."""
        while True:
            while self.events and self.events[0][:2] == (self.now, FINISH):
                _, _, k, ordinal = heapq.heappop(self.events)
                self.finish(int(k), self.replicas[ordinal])  # type: ignore[index]
            if not self.queue or all(r.free_since() == INF for r in self.ready()):
                break
            self.begin(self.queue.popleft())
            self.close_breach()
        departed, self.departed = self.departed, []
        for _ in departed:
            if self.policy.hooks & o.DEPARTURE:
                self.ask(o.DEPARTURE)

    def give_up(self, k: int, outcome: str) -> None:
        request = self.requests[k]
        request.outcome, request.end = outcome, self.now
        self.last_end = max(self.last_end, self.now)
        request.cause = self.cause(request, self.now)

    def cause(self, request: Request, until: float) -> str:
        if request.judged > self.limits.threshold_s:
            return "service_time"
        if request.service > self.limits.client_timeout_s:
            return "service_time"
        if request.outcome == "rejected":
            return "queue_limit"
        came = request.arrival
        if any(a <= came and b > until for a, b in self.max_times):
            return "replica_cap"
        spans = [min(b, until) - max(a, came) for a, b in self.pending_times]
        pending = sum(span for span in spans if span > 0.0)
        return "cold_start" if pending >= (until - came) - pending else "decision"

    def close_breach(self) -> None:
        if not self.queue and self.breach is not None:
            if "measured" not in self.breach:
                self.self_cleared += 1
            self.breach = None

    # --- replicas ---

    def serve(self, replica: Replica) -> None:
        replica.state = "ready"
        replica.slots = [self.now] * self.limits.slots

    def become_ready(self, replica: Replica) -> None:
        self.serve(replica)
        if not self.pending():
            self.pending_times[-1][1] = self.now
            self.activity_done = self.now
        if self.breach is not None and "measured" not in self.breach:
            self.measured.append((self.breach["opened"], replica.ordinal, self.now))
            self.breach["measured"] = 1.0
        self.serve_queue()

    def ahead(self, replica: Replica) -> list[float]:
        """When each busy slot of a replica will have done all it holds."""
        return list(replica.finishes.values())

    def set_desired(self, wanted: int) -> None:
        was_pending = bool(self.pending())
        have = len(self.ready()) + len(self.pending())
        for _ in range(wanted - have):
            k = len(self.replicas)
            replica = Replica(k, self.now, self.now + self.running_s[k], self.now + self.ready_s[k])
            self.replicas.append(replica)
            self.push(replica.ready, READY, k, k)
            self.activity_done = INF
        done = self.now
        for _ in range(have - wanted):
            if self.pending():
                newest = self.pending()[-1]
                newest.state, newest.ready, newest.stop = "stopped", INF, self.now
            else:
                newest = max(self.ready(), key=lambda r: (r.ready, r.ordinal))
                if self.policy.idle_first:
                    idle = [r for r in self.ready() if not r.finishes]
                    newest = max(idle or [newest], key=lambda r: (r.ready, r.ordinal))
                newest.state, newest.drain = "draining", self.now
                ahead = self.ahead(newest)
                newest.stop = max([self.now, *ahead])
                self.busy_draining_s += sum(t - self.now for t in ahead)
                done = max(done, newest.stop)
        if have > wanted:
            self.activity_done = INF if self.pending() else done
        if self.pending() and not was_pending:
            self.pending_times.append([self.now, INF])
        if was_pending and not self.pending():
            self.pending_times[-1][1] = self.now
        self.desired = wanted
        at_max = bool(self.max_times) and self.max_times[-1][1] == INF
        if wanted >= self.policy.maximum and not at_max:
            self.max_times.append([self.now, INF])
        if wanted < self.policy.maximum and at_max:
            self.max_times[-1][1] = self.now

    def ask(self, event: int) -> None:
        obs, policy = self.obs, self.policy
        obs[:] = 0.0
        obs[o.NOW] = self.now
        obs[o.WALL] = self.t0_ns % (86_400 * 10**9) / 1e9 + self.now
        obs[o.READY], obs[o.PENDING] = len(self.ready()), len(self.pending())
        obs[o.DESIRED], obs[o.MIN], obs[o.MAX] = self.desired, policy.minimum, policy.maximum
        obs[o.QUEUED], obs[o.IN_FLIGHT] = len(self.queue), self.in_flight()
        obs[o.ARRIVED], obs[o.INVOCATIONS] = self.arrived, float(self.invocations)
        obs[o.IN_FLIGHT_SECONDS], obs[o.QUEUED_SECONDS] = self.in_flight_s, self.queued_s
        obs[o.READY_SECONDS], obs[o.ACTIVITY_DONE] = self.ready_total_s, self.activity_done
        obs[o.SLOTS] = self.limits.slots
        self.out[o.OUT_DESIRED], self.out[o.OUT_METRIC] = self.desired, 0.0
        self.out[o.OUT_WAKE] = self.wake
        reason = self.decide(event, obs, policy.params, self.state, self.out)
        if self.out[o.OUT_WAKE] != self.wake:
            self.wake = float(self.out[o.OUT_WAKE])
            self.push(self.wake, WAKE, 0, None)
        if reason == o.NOTHING:
            return
        wanted, before = self.desired, self.desired
        if reason in (o.SCALED_OUT, o.SCALED_IN):
            wanted = min(max(int(self.out[o.OUT_DESIRED]), policy.minimum), policy.maximum)
            if wanted == before:
                return
        self.decisions.append(
            (
                self.now,
                o.REASONS[reason],
                before,
                wanted,
                float(self.out[o.OUT_METRIC]),
                len(self.ready()),
                len(self.pending()),
            )
        )
        if wanted != before:
            self.set_desired(wanted)
