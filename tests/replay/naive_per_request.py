"""Scale per request, event by event in plain Python: slow, and nothing like the compiled loop."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

INF = math.inf
# Order of events at one instant.
FINISH, EXPIRE, BOUNDS, ARRIVAL = range(4)


@dataclass
class Environment:
    ordinal: int
    requested: float
    running: float
    ready: float
    provisioned: bool
    active: list = field(default_factory=list)
    empty_since: float = INF
    token: int = 0
    drain: float = INF
    stop: float = INF

    @property
    def gone(self) -> bool:
        return self.stop < INF or self.drain < INF


class Naive:
    """Replays requests (arrival, service, keep-alive); see `run`."""

    def __init__(
        self,
        requests,
        *,
        slots,
        cap,
        client_timeout,
        cold,
        provisioned=0,
        bounds=(),
        may_start=lambda now: True,
        horizon=0.0,
        retries=0,
        pause=lambda attempt: 0.0,
        after_time_out=False,
    ):
        self.retries, self.pause, self.after_time_out = retries, pause, after_time_out
        self.came = [request[0] for request in requests]
        self.attempts = 0
        self.waited = 0.0
        self.requests = requests
        self.slots, self.cap, self.client = slots, cap, client_timeout
        self.cold, self.may_start, self.horizon = cold, may_start, horizon
        self.environments: list[Environment] = []
        self.events: list[tuple] = []
        self.records = [None] * len(requests)
        self.counter = 0
        self.idle = 0.0
        self.running = 0.0
        self.busy = 0.0
        self.desired = provisioned
        self.cold_count = 0
        self.most_alive = 0
        for _ in range(provisioned):
            self.environments.append(Environment(len(self.environments), 0.0, 0.0, 0.0, True))
        for time, minimum in bounds:
            self.push(time, BOUNDS, minimum)
        for i, request in enumerate(requests):
            self.come(request[0], i, 0)

    def come(self, time, i, attempt):
        """A request has one attempt on its way at most: of equal instants its number decides."""
        heapq.heappush(self.events, (time, ARRIVAL, i, attempt))

    def push(self, time, order, what):
        heapq.heappush(self.events, (time, order, self.counter, what))
        self.counter += 1

    def run(self):
        last = 0.0
        while self.events:
            now, order, number, what = heapq.heappop(self.events)
            if order == BOUNDS and now > self.horizon and self.past_arrivals():
                continue
            if order == FINISH:
                self.finish(now, *what)
                last = max(last, now)
            elif order == EXPIRE:
                self.expire(now, *what)
            elif order == BOUNDS:
                self.provision(now, what)
            else:
                self.arrive(now, number, what)
                last = max(last, now)
        self.end = max(self.horizon, last)
        for one in self.environments:
            if not one.provisioned:
                self.idle -= max(min(one.stop, INF) - max(self.end, one.empty_since), 0.0)
            one.stop = min(one.stop, self.end)
            if one.ready > self.end:
                one.ready = INF
            if one.running > one.stop:
                one.running = INF
        return self

    def past_arrivals(self):
        return all(event[1] != ARRIVAL for event in self.events)

    def pick(self, now, provisioned):
        for one in reversed(self.environments):
            if one.provisioned != provisioned or one.gone:
                continue
            if provisioned and one.ready > now:
                continue
            if len(one.active) < self.slots:
                return one
        return None

    def arrive(self, now, i, attempt):
        self.attempts += 1
        _, service, _ = self.requests[i]
        room = max(self.cap - self.desired, 0)
        one = self.pick(now, True)
        if one is None:
            others = [x for x in self.environments if not x.provisioned and not x.gone]
            one = self.pick(now, False)
            if one is not None:
                if not one.active and sum(bool(x.active) for x in others) >= room:
                    return self.refuse(i, now, attempt, "replica_cap")
            else:
                if len(others) >= room:
                    return self.refuse(i, now, attempt, "replica_cap")
                if not self.may_start(now):
                    return self.refuse(i, now, attempt, "decision")
                running, ready, whole = self.cold(len(self.environments))
                one = Environment(
                    len(self.environments), now, now + running, now + ready, False, empty_since=now
                )
                self.environments.append(one)
                service = service if whole is None else whole
                self.cold_count += 1
        start = max(now, one.ready)
        end = start + service
        if not one.active and not one.provisioned and one.empty_since < now:
            self.idle += now - one.empty_since
        if not one.active:
            one.empty_since = now
        one.active.append((i, attempt))
        one.token += 1
        self.busy += service
        response = service if start == now else end - now
        outcome = "timed_out" if response > self.client else "served"
        self.push(end, FINISH, (one, (i, attempt)))
        alive = sum(1 for x in self.environments if not x.gone)
        self.most_alive = max(self.most_alive, alive)
        if outcome == "timed_out" and self.after_time_out and attempt < self.retries:
            self.come(now + self.client + self.pause(attempt), i, attempt + 1)
            return None
        if outcome == "served":
            self.waited += start - self.came[i]
        left = end if outcome == "served" else now + self.client
        self.records[i] = (start, left, outcome, one.ordinal)
        return None

    def refuse(self, i, now, attempt, cause):
        if attempt < self.retries:
            self.come(now + self.pause(attempt), i, attempt + 1)
            return
        self.records[i] = (INF, now, cause, -1)

    def finish(self, now, one, which):
        one.active.remove(which)
        if one.active:
            return
        self.running += now - one.empty_since
        one.empty_since = now
        if one.provisioned:
            if one.drain < INF:
                one.stop = now
            return
        one.token += 1
        self.push(now + self.requests[which[0]][2], EXPIRE, (one, one.token))

    def expire(self, now, one, token):
        if one.token != token or one.gone:
            return
        self.idle += now - one.empty_since
        one.stop = now

    def provision(self, now, desired):
        have = [x for x in self.environments if x.provisioned and not x.gone]
        self.desired = desired
        for _ in range(desired - len(have)):
            running, ready, _ = self.cold(len(self.environments))
            self.environments.append(
                Environment(len(self.environments), now, now + running, now + ready, True)
            )
        for _ in range(len(have) - desired):
            waiting = [x for x in have if x.ready > now]
            resting = [x for x in have if not x.active]
            one = (waiting or resting or have)[-1]
            have.remove(one)
            if one.ready > now:
                one.ready = INF
                one.stop = now
            else:
                one.drain = now
                if not one.active:
                    one.stop = now
