"""The slow simulator of `naive` with machines beneath the replicas, written from the words alone.

Instances are objects that know who is on them, what happens to them is one list of events, and a
request that is lost is simply taken back: nothing is kept as counters that could be undone wrongly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from naive import ARRIVAL, FINISH, INF, READY, Naive, Replica

from modeler.replay import machine_layout as g
from modeler.replay.machines import Machines

# What happens to machines comes after the finishes of an instant and before the starts that end.
MACHINE = 0.5
STOP, RECLAIM, ZONE, NOTICE, NODE_FAIL, FAIL, POOL_READY, RELEASE, SCAN = range(9)


@dataclass
class Node:
    number: int
    requested: float
    pool: int
    zone: int
    role: str
    machine: int
    running: float = 0.0
    up: float = 0.0
    image: float = 0.0
    stop: float = INF
    ended: int = g.RELEASED
    state: str = "live"
    on: set[int] = field(default_factory=set)
    changed: float = 0.0
    mark: float = INF
    owed: int = 0


class NaiveMachines(Naive):
    def __init__(self, *args, machines: Machines, **kwargs) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*args, running_s=[], ready_s=[], **kwargs)
        self.machines = machines
        self.kind = machines.kind
        self.s = machines.settings
        count = 4000
        self.laws = machines.laws(0, count).tolist()
        self.lives = machines.lives(0, count).tolist() if machines.lives else [INF] * count
        self.fails = machines.fails(0, count).tolist() if machines.fails else [False] * count
        self.inits = machines.inits(0, count).tolist() if machines.inits else []
        self.nodes: list[Node] = []
        self.where: dict[int, Node] = {}
        self.law: dict[int, int] = {}
        self.begin_at: dict[int, float] = {}
        self.fail_at: dict[int, float] = {}
        self.attempt: dict[int, int] = {}
        self.ended: dict[int, int] = {}
        self.notice: dict[int, float] = {}
        self.owed = self.failed = self.given_up = self.lost = self.inits_used = self.built = 0
        self.batch = (INF, -INF)
        self.last_add = self.last_failure = -INF

        self.changed_ready = 0.0

    # --- small words ---

    def get(self, name: int, default: float = 0.0) -> float:
        return self.s.get(name, default)

    @property
    def places(self) -> int:
        return int(self.get(g.S_PLACES, 1))

    @property
    def single(self) -> bool:
        return self.kind in ("none", "warm_pool")

    def alive(self) -> list[Node]:
        return [n for n in self.nodes if n.state != "gone"]

    def event(self, time: float, kind: int, subject: int) -> None:
        if time < INF:
            self.push(time, MACHINE, (kind, subject), None)  # type: ignore[arg-type]

    # --- capacity ---

    def closed(self, t: float, pool: int):  # type: ignore[no-untyped-def]
        for c in self.machines.closures:
            if c.pool == pool and c.from_s <= t < c.until_s:
                return c
        return None

    def granted(self, t: float) -> tuple[float, int]:
        pool, since, hops = 0, t, 0
        while (c := self.closed(t, pool)) is not None:
            if c.fallback < 0 or hops >= self.machines.pools:
                t += c.retry_s
            elif t >= since + c.after_s:
                pool, since, hops = c.fallback, t, hops + 1
            else:
                t = min(t + c.retry_s, since + c.after_s)
        return t, pool

    def down(self, zone: int, t: float) -> float | None:
        ends = [
            o.until_s for o in self.machines.outages if o.zone == zone and o.from_s <= t < o.until_s
        ]
        return ends[0] if ends else None

    def zone_for(self, t: float) -> tuple[int, float]:
        choices = []
        for zone in range(int(self.get(g.S_ZONES, 1))):
            back = t
            while (end := self.down(zone, back)) is not None:
                back = end
            choices.append((back, sum(n.zone == zone for n in self.alive()), zone))
        back, _, zone = min(choices)
        return zone, back

    def instance_from(self, earliest: float) -> tuple[float, int, int]:
        asked = earliest
        if self.kind == "karpenter":
            asked = self.batch_of(earliest)
        elif self.kind == "cluster_autoscaler":
            scan = self.get(g.S_SCAN, 10.0)
            asked = (math.floor(earliest / scan) + 1) * scan
        at, pool = self.granted(asked)
        zone, back = self.zone_for(at)
        while back > at:
            at, pool = self.granted(back)
            zone, back = self.zone_for(at)
        self.last_add = self.now
        return at, pool, zone

    def batch_of(self, earliest: float) -> float:
        idle, most = self.get(g.S_BATCH_IDLE), self.get(g.S_BATCH_MAX)
        if earliest > self.now:
            return earliest + idle
        first, close = self.batch
        if not first <= earliest <= close:
            self.batch = (earliest, earliest + idle)
            return earliest + idle
        later = min(earliest + idle, first + most)
        if later > close:
            for node in self.alive():
                if node.requested == close and node.pool == 0:
                    self.shift(node, later - close)
            self.batch = (first, later)
        return self.batch[1]

    def shift(self, node: Node, by: float) -> None:
        node.requested += by
        node.running += by
        node.up += by
        node.image += by
        node.changed += by
        self.foresee(node)
        for k in sorted(node.on):
            replica = self.replicas[k]
            if replica.state == "pending":
                replica.ready += by
                replica.running += by
                self.begin_at[k] += by
                self.push(replica.ready, READY, k, k)
                if self.fail_at[k] < INF:
                    self.fail_at[k] += by
                    self.event(self.fail_at[k], FAIL, k)

    # --- instances ---

    def open(self, at: float, pool: int, zone: int, role: str, machine: int | None = None) -> Node:
        if machine is None:
            machine = self.built
            self.built += 1
        node = Node(len(self.nodes), at, pool, zone, role, machine, at, at, at)
        node.changed = at
        self.nodes.append(node)
        return node

    def close(self, node: Node, at: float, why: int) -> None:
        node.stop, node.state, node.ended = at, "gone", why

    def foresee(self, node: Node) -> None:
        if self.machines.can_lose and self.machines.spot[node.pool]:
            end = node.running + self.lives[node.number]
            lead = self.get(g.S_NOTICE, 120.0)
            self.event(max(end - lead, node.running), NOTICE, node.number)
            self.event(end, RECLAIM, node.number)
        self.event(self.late_at(node), NODE_FAIL, node.number)

    def late_at(self, node: Node) -> float:
        launch, up = self.get(g.S_LAUNCH_LIMIT, INF), self.get(g.S_NODE_LIMIT, INF)
        if node.running - node.requested > launch:
            return node.requested + launch
        return node.requested + up if node.up - node.requested > up else INF

    def law_now(self, base: int) -> int:
        spell = 0
        for start, number in self.machines.spells:
            if start <= self.now:
                spell = number
        return spell * (2 * self.machines.pools + 1) + base

    def home_for(self) -> Node | None:
        if self.single:
            return None
        free = [
            n
            for n in self.alive()
            if n.state == "live" and n.role == "serving" and len(n.on) < self.places
        ]
        up = [n for n in free if n.up <= self.now]
        sign = -1 if self.get(g.S_BINPACK) else 1
        if up:
            return min(up, key=lambda n: (sign * len(n.on), self.nodes.index(n)))
        return min(free, key=lambda n: (n.up, self.nodes.index(n))) if free else None

    def new_replica(self, earliest: float, attempt: int) -> None:
        k = len(self.replicas)
        replica = Replica(k, self.now, INF, INF)
        self.replicas.append(replica)
        node = self.home_for()
        held = [n for n in self.alive() if n.role == "held"] if self.kind == "warm_pool" else []
        if held and not self.get(g.S_POOL_RUNS) and self.closed(earliest, 0):
            held = []
        if node is not None:
            law = self.law_now(2 * node.pool + 1)
            start = replica.running = max(earliest, node.image)
        else:
            if held:
                self.close(held[0], earliest, g.RELEASED)
                start = earliest
                node = self.open(start, 0, held[0].zone, "serving", held[0].machine)
                law = self.law_now(2 * self.machines.pools)
            else:
                start, pool, zone = self.instance_from(earliest)
                node = self.open(start, pool, zone, "serving")
                law = self.law_now(2 * pool)
            running, up, image, _, _ = self.laws[k][law]
            node.running, node.up, node.image = start + running, start + up, start + image
            self.foresee(node)
            replica.running = node.running
        begun, ready = self.laws[k][law][3:]
        replica.ready = start + ready
        limit = self.get(g.S_START_LIMIT, INF)
        fail = INF
        if self.fails[k]:
            at_limit = bool(self.get(g.S_FAIL_AT_LIMIT))
            fail = start + begun + limit if at_limit else replica.ready
        if replica.ready - (start + begun) > limit:
            fail = start + begun + limit
        if fail < INF:
            replica.ready = max(replica.ready, fail)
        self.settle(k, node, law, start, attempt)
        self.fail_at[k] = fail
        self.event(fail, FAIL, k)
        self.push(replica.ready, READY, k, k)

    def settle(self, k: int, node: Node, law: int, start: float, attempt: int) -> None:
        self.where[k], self.law[k], self.begin_at[k] = node, law, start
        self.attempt[k], self.ended[k], self.fail_at[k] = attempt, g.RELEASED, INF
        node.on.add(k)
        node.changed = max(self.now, node.up)

    # --- leaving ---

    def leave(self, k: int, why: int) -> None:
        node = self.where[k]
        if k not in node.on:
            return
        node.on.remove(k)
        self.ended[k] = why
        node.changed = max(self.now, node.up)
        if node.on or node.state == "gone":
            return
        if self.single:
            if node.state == "noticed":
                return
            out = self.replicas[k].drain
            until = self.now if out == INF else max(self.now, out + self.get(g.S_RELEASE))
            self.close(node, until, why)
            comes_back = self.kind == "warm_pool" and self.get(g.S_REUSE) and out < INF
            if comes_back and self.pool_size() < self.pool_wanted():
                self.open(self.now, 0, node.zone, "held", node.machine)
        elif node.state != "live" or node.requested > self.now:
            self.close(node, self.now, why)
        elif self.kind == "managed_instances":
            self.event(node.changed + self.get(g.S_RELEASE), RELEASE, node.number)

    def drain_now(self, replica: Replica) -> float:
        self.changed_ready = self.now
        replica.state, replica.drain = "draining", self.now
        ends = list(replica.finishes.values())
        replica.stop = max([self.now, *ends])
        self.event(replica.stop, STOP, replica.ordinal)
        return replica.stop

    def abandon(self, replica: Replica, why: int) -> None:
        replica.state, replica.ready, replica.stop = "stopped", INF, self.now
        self.leave(replica.ordinal, why)

    def evict(self, node: Node, why: int) -> int:
        gone = sorted(node.on)
        count = 0
        for k in gone:
            replica = self.replicas[k]
            if replica.state == "ready":
                self.drain_now(replica)
                self.ended[k], self.notice[k] = why, self.now
                count += 1
        for k in gone:
            replica = self.replicas[k]
            if replica.state == "pending":
                self.notice[k] = self.now
                self.abandon(replica, why)
                count += 1
        return count

    def again(self, count: int, earliest: float | None = None, attempt: int = 0) -> None:
        for _ in range(count):
            self.new_replica(self.now if earliest is None else earliest, attempt)
        if count:
            self.activity_done = INF
        elif not self.pending() and self.activity_done == INF:
            self.activity_done = self.now

    def kill(self, node: Node, why: int) -> int:
        count = 0
        for k in sorted(node.on):
            replica = self.replicas[k]
            count += replica.state in ("ready", "pending")
            for request in [self.requests[i] for i in sorted(replica.finishes)]:
                patience = request.arrival + self.limits.client_timeout_s
                if request.outcome == "timed_out" and patience < self.now:
                    continue
                request.outcome, request.cause = "lost", "lost_capacity"
                request.end = self.now
                self.lost += 1
            if replica.finishes:
                self.last_end = max(self.last_end, self.now)
            if replica.state == "ready":
                self.changed_ready = self.now
                self.ended[k] = why
                replica.stop = self.now
            elif replica.state == "pending":
                replica.ready, replica.stop = INF, self.now
                self.ended[k], self.notice[k] = why, self.now
            elif replica.finishes:
                replica.stop = self.now
            replica.state = "stopped"
            replica.finishes = {}
        node.on.clear()
        self.close(node, self.now, why)
        return count

    # --- events ---

    def finish(self, k: int, replica: Replica) -> None:
        if k in replica.finishes:
            super().finish(k, replica)

    def handle(self, time, rank, ident, payload):  # type: ignore[no-untyped-def]
        if rank == FINISH and int(ident) not in self.replicas[payload].finishes:
            return
        if rank == READY and self.replicas[int(ident)].ready != time:
            return
        if payload == "hope":
            if time == self.hope() and self.queue:
                self.advance(time)
                while self.queue:
                    k = self.queue.popleft()
                    self.give_up(k, "lost")
                    self.requests[k].cause = "lost_capacity"
                self.close_breach()
            return
        if rank != MACHINE:
            super().handle(time, rank, ident, payload)
            return
        self.advance(time)
        was = bool(self.pending())
        self.happen(*ident)
        self.note_pending(was)
        self.look_for_hope()

    def hope(self) -> float:
        """When those who wait are given up: nothing serves, and a clock has had its hour."""
        if self.ready() or self.pending() or self.owed:
            return INF
        clock = self.policy.clock
        ticks = min(clock.bucket_s, clock.tick_s) < INF or self.wake < INF
        return max(self.horizon, self.changed_ready) + (3600.0 if ticks else 0.0)

    def look_for_hope(self) -> None:
        if self.hope() < INF:
            self.push(self.hope(), ARRIVAL, 1e18, "hope")

    def serve(self, replica: Replica) -> None:
        self.changed_ready = self.now
        super().serve(replica)

    def note_pending(self, was: bool) -> None:
        if self.pending() and not was:
            self.pending_times.append([self.now, INF])
        if was and not self.pending():
            self.pending_times[-1][1] = self.now

    def happen(self, kind: int, subject: int) -> None:
        if kind == STOP:
            replica = self.replicas[subject]
            if replica.state == "draining" and replica.stop == self.now:
                self.leave(subject, self.ended[subject])
        elif kind == ZONE:
            missing = 0
            for node in self.alive():
                lost = node.zone == self.machines.outages[subject].zone
                if lost and node.requested <= self.now:
                    missing += self.kill(node, g.ZONE_LOST) + self.collect(node)
            self.again(missing)
        elif kind == FAIL:
            replica = self.replicas[subject]
            if replica.state == "pending" and self.fail_at[subject] == self.now:
                self.abandon(replica, g.FAILED)
                self.retry(subject, g.S_BACKOFF, g.S_BACKOFF_MAX)
        elif kind == SCAN:
            self.scan(subject)
        else:
            self.of_node(kind, self.nodes[subject])

    def of_node(self, kind: int, node: Node) -> None:
        if kind == RECLAIM and self.now == node.running + self.lives[node.number]:
            missing = self.kill(node, g.RECLAIMED) if node.state != "gone" else 0
            self.again(missing + self.collect(node))
        elif kind == NOTICE:
            end = node.running + self.lives[node.number]
            planned = max(end - self.get(g.S_NOTICE, 120.0), node.running)
            if node.state in ("gone", "noticed") or planned != self.now:
                return
            node.state = "noticed" if self.single else "closing"
            count = self.evict(node, g.RECLAIMED)
            if self.get(g.S_AT_NOTICE, 1.0):
                self.again(count)
            else:
                node.owed = count
                self.owed += count
                self.again(0)
        elif kind == NODE_FAIL and node.state != "gone" and self.late_at(node) == self.now:
            self.last_failure = self.now
            waiting = sorted(node.on)
            node.state = "closing"
            for k in waiting:
                self.notice[k] = self.now
                self.abandon(self.replicas[k], g.FAILED)
            self.close(node, self.now, g.FAILED)
            for k in waiting:
                self.retry(k, g.S_NODE_BACKOFF, g.S_NODE_BACKOFF_MAX)
        elif kind == POOL_READY and node.state == "live":
            self.close(node, self.now, g.RELEASED)
            self.open(self.now, node.pool, node.zone, "held", node.machine)
        elif kind == RELEASE and node.state == "live" and not node.on:
            due = node.changed + self.get(g.S_RELEASE)
            if due <= self.now and len(self.alive()) > self.get(g.S_MIN_NODES):
                self.close(node, self.now, g.RELEASED)

    def collect(self, node: Node) -> int:
        owed = min(node.owed, self.owed)
        node.owed = 0
        self.owed -= owed
        return owed

    def retry(self, k: int, base: int, most: int) -> None:
        self.failed += 1
        n = self.attempt[k]
        if n + 1 < self.get(g.S_ATTEMPTS, 10):
            self.again(1, self.now + min(self.get(base) * 2.0**n, self.get(most, INF)), n + 1)
        else:
            self.given_up += 1
            self.again(0)
            if not self.ready():
                self.changed_ready = self.now

    # --- taking instances away ---

    def spare(self, but: list[Node]) -> int:
        return sum(
            self.places - len(n.on)
            for n in self.alive()
            if n.state == "live" and n.up <= self.now and n not in but
        )

    def scan(self, second: int) -> None:
        period = self.get(g.S_SCAN, 10.0)
        if self.kind == "cluster_autoscaler":
            self.scan_down()
            self.event(self.now + period, SCAN, 0)
        elif second:
            chosen = [n for n in self.alive() if n.mark < INF]
            same = all(n.state == "live" and n.changed <= n.mark for n in chosen)
            moved = sum(len(n.on) for n in chosen)
            if same and (not moved or moved <= self.spare(chosen)):
                evicted = 0
                for node in chosen:
                    if node.on:
                        node.state = "closing"
                        node.mark = INF
                        evicted += self.evict(node, g.EVICTED)
                    else:
                        self.close(node, self.now, g.RELEASED)
                self.again(evicted)
            for node in self.nodes:
                node.mark = INF
            self.event(self.now + period, SCAN, 0)
        else:
            chosen = self.candidates()
            for node in chosen:
                node.mark = self.now
            wait = self.get(g.S_VALIDATE) if chosen else period
            self.event(self.now + wait, SCAN, int(bool(chosen)))

    def candidates(self) -> list[Node]:
        alive = self.alive()
        ready = [
            n
            for n in alive
            if n.state == "live"
            and n.up <= self.now
            and self.now - n.changed >= self.get(g.S_QUIET)
        ]
        busy = sum(n.state != "live" or n.up > self.now for n in alive)
        budget = math.ceil(self.get(g.S_BUDGET, 1.0) * len(alive)) - busy
        budget = min(budget, self.get(g.S_STEP, 1e9), len(alive) - self.get(g.S_MIN_NODES))
        budget = max(math.ceil(budget), 0)
        empty = [n for n in ready if not n.on] if self.kind == "karpenter" else []
        if empty[:budget] or not self.get(g.S_UNDERUSED):
            return empty[:budget]
        chosen: list[Node] = []
        for node in sorted((n for n in ready if n.on), key=lambda n: (len(n.on), n.number)):
            more = [*chosen, node]
            if len(more) > budget or sum(len(n.on) for n in more) > self.spare(more):
                break
            chosen = more
        return chosen

    def scan_down(self) -> None:
        leaving: list[Node] = []
        for node in self.alive():
            under = len(node.on) < self.get(g.S_THRESHOLD, 0.5) * self.places
            fits = sum(len(n.on) for n in [*leaving, node]) <= self.spare([*leaving, node])
            if node.state == "live" and node.up <= self.now and under and fits:
                leaving.append(node)
                node.mark = min(node.mark, self.now)
            else:
                node.mark = INF
        if self.now - self.last_add < self.get(g.S_AFTER_ADD):
            return
        if self.now - self.last_failure < self.get(g.S_AFTER_FAILURE):
            return
        long = [n for n in self.alive() if self.now - n.mark >= self.get(g.S_UNNEEDED)]
        room = int(len(self.alive()) - self.get(g.S_MIN_NODES))
        empty = [n for n in long if not n.on][: max(min(room, int(self.get(g.S_STEP, 1e9))), 0)]
        for node in empty:
            self.close(node, self.now, g.RELEASED)
        if not empty and room > 0 and long:
            long[0].state, long[0].mark = "closing", INF
            self.again(self.evict(long[0], g.EVICTED))

    # --- the warm pool ---

    def pool_wanted(self) -> float:
        prepared = self.get(g.S_MAX_PREPARED, -1.0)
        most = self.policy.maximum if prepared < 0 else prepared
        return max(self.get(g.S_MIN_POOL), most - self.desired, 0)

    def pool_size(self) -> int:
        count = sum(n.role != "serving" for n in self.alive())
        if self.get(g.S_REUSE):
            serving = len(self.alive()) - count
            count += max(serving - len(self.ready()) - len(self.pending()), 0)
        return count

    def balance(self) -> None:
        if self.kind != "warm_pool":
            return
        while self.pool_size() < self.pool_wanted():
            at, pool, zone = self.instance_from(self.now)
            node = self.open(at, pool, zone, "pool_initialising")
            running, up, image, _, ready = self.inits[self.inits_used]
            self.inits_used += 1
            node.running, node.up, node.image = at + running, at + up, at + image
            self.event(at + ready, POOL_READY, node.number)
        while self.pool_size() > self.pool_wanted():
            first = [n for n in self.alive() if n.role == "pool_initialising"]
            held = [n for n in self.alive() if n.role == "held"]
            if not first and not held:
                break
            self.close((first or held)[-1], self.now, g.RELEASED)

    # --- the fleet ---

    def run(self) -> NaiveMachines:
        zone_of = self.zone_for
        for k in range(self.policy.initial):
            node = None
            if self.places > 1:
                node = self.home_for()
            if node is None:
                node = self.open(0.0, 0, zone_of(0.0)[0], "serving")
                self.foresee(node)
            self.settle(k, node, -1, 0.0, 0)
        while len(self.alive()) < self.get(g.S_MIN_NODES):
            self.foresee(self.open(0.0, 0, zone_of(0.0)[0], "serving"))
        if self.kind == "warm_pool":
            self.desired = self.policy.initial
            for _ in range(int(self.pool_wanted())):
                _, pool, zone = self.instance_from(0.0)
                self.open(0.0, pool, zone, "held")
        for k, outage in enumerate(self.machines.outages):
            self.event(outage.from_s, ZONE, k)
        if not self.single:
            self.event(self.get(g.S_SCAN, 10.0), SCAN, 0)
        super().run()
        return self

    def set_desired(self, wanted: int) -> None:
        was = bool(self.pending())
        have = len(self.ready()) + len(self.pending()) + self.owed
        if wanted > have:
            self.again(wanted - have)
        done = self.now
        for _ in range(have - wanted):
            if self.owed:
                self.owed -= 1
            elif self.pending():
                self.abandon(self.pending()[-1], g.RELEASED)
            else:
                newest = max(self.ready(), key=lambda r: (r.ready, r.ordinal))
                done = max(done, self.drain_now(newest))
        if have > wanted:
            self.activity_done = INF if self.pending() else done
        self.note_pending(was)
        self.desired = wanted
        self.balance()
        self.look_for_hope()
        at_max = bool(self.max_times) and self.max_times[-1][1] == INF
        if wanted >= self.policy.maximum and not at_max:
            self.max_times.append([self.now, INF])
        if wanted < self.policy.maximum and at_max:
            self.max_times[-1][1] = self.now
