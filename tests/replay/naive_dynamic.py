"""A slow, plain simulator of replicas that batch dynamically, written from the rules.

A fixed fleet, some of it ready later than others; requests, lines and batches are Python lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INF = float("inf")


@dataclass(eq=False)
class Request:
    ordinal: int
    arrival: float
    deadline: float = INF
    start: float = INF
    end: float = INF
    outcome: str = ""
    replica: int = -1


@dataclass(eq=False)
class Server:
    ordinal: int
    ready: float
    line: list[Request] = field(default_factory=list)
    batch: list[Request] = field(default_factory=list)
    ends: float = INF


class NaiveDynamic:
    def __init__(
        self, seconds, delay_s, arrivals, *, ready, router="central", queue_limit=None,
        queue_timeout_s=INF, client_timeout_s=INF,
    ):  # fmt: skip
        self.seconds, self.delay_s = seconds, delay_s
        self.router, self.queue_limit = router, queue_limit
        self.queue_timeout_s, self.client_timeout_s = queue_timeout_s, client_timeout_s
        self.requests = [Request(k, at) for k, at in enumerate(arrivals)]
        self.servers = [Server(k, at) for k, at in enumerate(ready)]
        self.line: list[Request] = []
        self.turn = 0
        self.busy_s = 0.0

    def run(self):
        coming = list(self.requests)
        rising = sorted(self.servers, key=lambda one: (one.ready, one.ordinal))
        self.up: list[Server] = []
        while True:
            ends = min((one.ends for one in self.up), default=INF)
            starts = min((at for at, _ in self.gathering()), default=INF)
            rises = rising[0].ready if rising else INF
            waiting = self.waiting()
            leaves = min((one.deadline for one in waiting), default=INF)
            comes = coming[0].arrival if coming else INF
            now = min(ends, starts, rises, leaves, comes)
            if now == INF:
                return self
            # Of what is due on replicas at one instant, the longest ready goes first.
            due = [one for one in self.up if one.ends == now]
            due += [one for at, one in self.gathering() if at <= now]
            if due:
                first = min(due, key=self.up.index)
                if first.batch:
                    self.finish(first, now)
                self.start_what_can(now)
            elif rises == now:
                self.up.append(rising.pop(0))
                self.start_what_can(now)
            elif leaves == now:
                one = next(one for one in waiting if one.deadline == now)
                for line in self.lines():
                    if one in line:
                        line.remove(one)
                one.end, one.outcome = now, "timed_out"
                self.start_what_can(now)
            else:
                self.arrive(coming.pop(0), now)

    def lines(self):
        return [self.line, *(one.line for one in self.up)]

    def waiting(self):
        return [one for line in self.lines() for one in line]

    def gathering(self):
        """When a free replica starts with what waits, and which."""
        free = [one for one in self.up if not one.batch]
        if self.router == "central":
            if free and self.line:
                yield self.due(self.line), free[0]
            return
        for one in free:
            if one.line:
                yield self.due(one.line), one

    def due(self, line):
        return -INF if len(line) >= len(self.seconds) else line[0].arrival + self.delay_s

    def start_what_can(self, now):
        while True:
            ready = [one for at, one in self.gathering() if at <= now]
            if not ready:
                return
            self.begin(ready[0], now)

    def begin(self, server, now):
        line = self.line if self.router == "central" else server.line
        server.batch = line[: len(self.seconds)]
        del line[: len(self.seconds)]
        for one in server.batch:
            one.start, one.replica = now, server.ordinal
        seconds = self.seconds[len(server.batch) - 1]
        self.busy_s += seconds
        server.ends = now + seconds

    def finish(self, server, now):
        for one in server.batch:
            late = now - one.arrival > self.client_timeout_s
            one.end = one.arrival + self.client_timeout_s if late else now
            one.outcome = "timed_out" if late else "served"
        server.batch, server.ends = [], INF

    def arrive(self, one, now):
        one.deadline = now + min(self.queue_timeout_s, self.client_timeout_s)
        if self.router == "central":
            line = self.line
            free = any(not server.batch for server in self.up)
        else:
            if self.router == "round_robin":
                server = self.up[self.turn % len(self.up)]
                self.turn += 1
            else:
                server = min(self.up, key=lambda s: len(s.batch) + len(s.line))
            line, free = server.line, not server.batch
        if not free and self.queue_limit is not None and len(line) >= self.queue_limit:
            one.end, one.outcome = now, "rejected"
            return
        line.append(one)
        self.start_what_can(now)
