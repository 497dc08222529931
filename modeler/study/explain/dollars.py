"""Where dollars come from: seconds by phase, prices, lines of the bill, their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pricing
from modeler.measure.attribution import phase_of
from modeler.measure.bill import CostLine, UnitPrice
from modeler.scenario.serverless import Lambda, SageMakerServerless
from modeler.study.explain.arithmetic import PRODUCT, QUOTIENT, Line, added, read, step
from modeler.study.replay import Replay

_HOUR: Final = "instance-hour"
_MS: Final = 1000.0
_HOW: Final = {
    "booting": "billed and not yet serving",
    "serving": "busy slot-seconds over slots, while in service",
    "idle": "in service, and no request in a slot",
    "draining": "out of service, until it is released",
    "rounding": "the provider's minimum and whole seconds",
    "given_back": "reclaimed in the first hour, which costs nothing",
}
_PHASES: Final = {
    "booting": "billed and not yet serving, initialisations included",
    "serving": "requests, and what lasts as long as they do",
    "idle": "held, and used by nobody",
    "given_back": "reclaimed in the first hour, which costs nothing",
}
_RECORDS: Final = "the replay's records of each replica and instance"
_BILL: Final = "the bill: the sum of its lines and of nothing else"
_WINDOW: Final = "the billed window: the trace and its tail, or the last finish"


def usd_total(done: Replay, figure: str) -> list[Line]:
    """The bill: seconds by phase where it is by the hour, quantity x price, the sum, the phases."""
    lines = done.outcome.cost_lines
    by_hour = [line for line in lines if line.unit == _HOUR]
    seconds = [_seconds(done, line) for line in by_hour]
    found: list[Line] = list(seconds)
    if seconds:
        total_s = sum(line.value or 0.0 for line in seconds)
        found.append(added("billed_s", seconds, total_s, "s", "every billed second has a phase"))
    amounts: list[Line] = []
    for line in lines:
        hours = line.unit == _HOUR
        amounts.append(_amount(line))
        found += [_hours(line)] if hours else _metered(done, line)
        found.append(amounts[-1])
    total = added(figure, amounts, done.outcome.usd_total, "USD", _BILL)
    return [*found, *_by_phase(done, amounts), total]


def _seconds(done: Replay, line: CostLine) -> Line:
    """Seconds of one phase of one kind of machine."""
    value = line.quantity * pricing.SECONDS_PER_HOUR
    phase = phase_of(line.component)
    name = f"seconds.{line.component}"
    result = done.run.result
    if phase == "serving" and done.run.layer is None:
        in_service_s = result.busy_slot_s - result.busy_draining_slot_s
        return step(
            name, QUOTIENT, (in_service_s, result.slots), value, "s", _RECORDS,
            "busy slot-seconds in service / slots",
        )  # fmt: skip
    return read(name, value, "s", _RECORDS, _HOW.get(phase, phase))


def _metered(done: Replay, line: CostLine) -> list[Line]:
    """The quantity of what is metered by the millisecond: seconds, and times memory."""
    counts, hosting = done.run.result.environments, done.run.scenario.hosting
    if counts is None:
        return []
    billed_ms = {
        "duration": counts.billed_ms,
        "init": counts.billed_init_ms,
        "provisioned_duration": counts.billed_provisioned_ms,
    }.get(line.component)
    if not billed_ms or not line.quantity or not isinstance(hosting, Lambda | SageMakerServerless):
        return []
    seconds = billed_ms / _MS
    words = "milliseconds, each request rounded up / 1,000"
    name = f"seconds.{line.component}"
    found = [step(name, QUOTIENT, (billed_ms, _MS), seconds, "s", _RECORDS, words)]
    if line.unit == "GB-s":
        memory = float(hosting.memory_mb / pricing.MB_PER_GB)
        words = "seconds x GB of memory"
        terms = (seconds, memory)
        name = f"quantity.{line.component}"
        found.append(
            step(name, PRODUCT, terms, line.quantity, "GB-s", "hosting.memory_mb / 1,024", words)
        )
    return found


def _hours(line: CostLine) -> Line:
    seconds = line.quantity * pricing.SECONDS_PER_HOUR
    return step(
        f"hours.{line.component}", QUOTIENT, (seconds, pricing.SECONDS_PER_HOUR), line.quantity,
        _HOUR, "seconds of an hour", "seconds / 3,600",
    )  # fmt: skip


def _amount(line: CostLine) -> Line:
    dated = f"{line.source}, as of {line.as_of}" if line.as_of else line.source
    return step(
        f"cost_lines.{line.component}", PRODUCT, (line.quantity, line.unit_price_usd),
        line.amount_usd, "USD", dated, f"{line.unit} x USD each",
    )  # fmt: skip


def _by_phase(done: Replay, amounts: Sequence[Line]) -> list[Line]:
    """Dollars by phase, where that says more than the lines do, and that they are the bill."""
    outcome = done.outcome
    found = [_phase(done, phase, amounts) for phase in outcome.usd_by_phase]
    own = {phase_of(line.component) for line in outcome.cost_lines}
    found = [line for line in found if line.figure.rpartition(".")[2] in own]
    every = added("usd by phase", found, outcome.usd_total, "USD", "every dollar has a phase")
    told = all(line.component == phase_of(line.component) for line in outcome.cost_lines)
    return [] if told else [*found, every]


def _phase(done: Replay, phase: str, amounts: Sequence[Line]) -> Line:
    """Dollars of one phase: the lines of the bill that are of it."""
    own = [
        amount
        for line, amount in zip(done.outcome.cost_lines, amounts, strict=True)
        if phase_of(line.component) == phase
    ]
    value, figure = done.outcome.usd_by_phase[phase], f"usd_by_phase.{phase}"
    words = _PHASES.get(phase, _HOW[phase])
    if not own:
        return read(figure, value, "USD", "the bill", f"no line of it: {words}")
    return added(figure, own, value, "USD", words)


def usd_of_phase(done: Replay, figure: str) -> list[Line]:
    """Dollars of one phase, with the lines they are."""
    phase = figure.rpartition(".")[2]
    lines = done.outcome.cost_lines
    amounts = [_amount(line) for line in lines]
    own = [a for a, line in zip(amounts, lines, strict=True) if phase_of(line.component) == phase]
    return [*own, _phase(done, phase, amounts)]


def usd_per_hour(done: Replay, figure: str) -> list[Line]:
    """The bill over the billed window."""
    outcome = done.outcome
    hours = outcome.duration_s / pricing.SECONDS_PER_HOUR
    return [
        *usd_total(done, "usd_total"),
        step(
            "hours", QUOTIENT, (outcome.duration_s, pricing.SECONDS_PER_HOUR), hours, "h",
            _WINDOW, "duration_s / 3,600",
        ),
        _ratio(
            figure, outcome.usd_total, hours, outcome.usd_per_hour, "USD/h", "usd_total / hours"
        ),
    ]  # fmt: skip


def usd_per_1k_requests(done: Replay, figure: str) -> list[Line]:
    """The bill over the requests that arrived."""
    outcome = done.outcome
    thousands = outcome.requests / 1000.0
    return [
        *usd_total(done, "usd_total"),
        step(
            "thousands of requests", QUOTIENT, (outcome.requests, 1000.0), thousands,
            "1,000 requests", "the traffic", "requests that arrived / 1,000",
        ),
        _ratio(
            figure, outcome.usd_total, thousands, outcome.usd_per_1k_requests, "USD",
            "usd_total / thousands of requests",
        ),
    ]  # fmt: skip


def _ratio(
    figure: str, over: float, under: float, value: float | None, unit: str, words: str
) -> Line:
    """A quotient; nothing is divided by nothing."""
    if not under:
        return read(figure, value, unit, "nothing to divide by", words)
    return step(figure, QUOTIENT, (over, under), value, unit, "the bill", words)


def token_api(done: Replay, figure: str) -> list[Line]:
    """What an API by the token would charge for every request."""
    bill = done.outcome.token_api
    assert bill is not None
    source = f"{bill['source']}, as of {bill['as_of']}" if bill["as_of"] else bill["source"]
    parts = []
    found = []
    for name in ("prompt", "output"):
        tokens, price = bill[f"{name}_tokens"], bill[f"{name}_usd_per_million"]
        found.append(read(f"token_api.{name}_tokens", tokens, "tokens", "the traffic", "summed"))
        found.append(
            read(f"token_api.{name}_usd_per_million", price, "USD/1e6 tokens", source, "its price")
        )
        parts.append(
            step(
                f"{name} USD", PRODUCT, (tokens, price, 1e-6), tokens * price * 1e-6, "USD",
                source, "tokens x USD per million / 1e6",
            )
        )  # fmt: skip
    total = added("token_api.usd_total", parts, bill["usd_total"], "USD", source)
    hours = done.run.trace.duration_s / pricing.SECONDS_PER_HOUR
    words = "token_api.usd_total / hours of the traffic"
    rate = _ratio(
        "token_api.usd_per_hour", bill["usd_total"], hours, bill["usd_per_hour"], "USD/h", words
    )
    for line in found:
        if line.figure == figure:
            return [line]
    lines = [*found, *parts, total]
    return lines if figure == total.figure else [*lines, rate]


def work_bound(done: Replay, figure: str) -> list[Line]:
    """The bound that nothing can beat: the work on replicas that never idle."""
    bound = done.outcome.bounds["work_bound"]
    cheapest = min(done.outcome.prices, key=lambda price: price.usd_per_hour)
    return [*_bound_hours(done, "work_bound"), *_bound_usd(figure, bound, 1, cheapest)]


def zero_wait(done: Replay, figure: str) -> list[Line]:
    """Instant, perfectly forecast scaling: nobody waits."""
    bound = done.outcome.bounds["zero_wait"]
    ground = done.run.result.ground
    places = 1 if done.run.layer is None or ground is None else ground.places
    if figure.endswith("peak_replicas"):
        words = "requests in service if each started on arrival, over slots, rounded up: the most"
        return [read(figure, bound["peak_replicas"], "replicas", "the traffic", words)]
    lines = [*_bound_hours(done, "zero_wait")]
    return [*lines, *_bound_usd(figure, bound, places, done.outcome.prices[0])]


def _bound_hours(done: Replay, name: str) -> list[Line]:
    hours = done.outcome.bounds[name]["replica_hours"]
    figure = f"bounds.{name}.replica_hours"
    result = done.run.result
    if name == "zero_wait":
        words = "requests in service if each started on arrival, over slots, rounded up"
        return [read(figure, hours, "replica h", "the traffic, within the fleet's bounds", words)]
    work_s = hours * pricing.SECONDS_PER_HOUR
    plain = done.run.layer is None and done.run.service.batching is None
    if plain:
        words = "busy slot-seconds / slots"
        work = step(
            "work_s", QUOTIENT, (result.busy_slot_s, result.slots), work_s, "s", _RECORDS, words
        )
    else:
        words = "busy slot-seconds / slots and places, of fuller batches where those take less"
        work = read("work_s", work_s, "s", _RECORDS, words)
    words = "work_s / 3,600"
    return [
        work,
        step(
            figure, QUOTIENT, (work_s, pricing.SECONDS_PER_HOUR), hours, "replica h", _RECORDS,
            words,
        ),
    ]  # fmt: skip


def _bound_usd(figure: str, bound: dict[str, float], places: int, price: UnitPrice) -> list[Line]:
    if not figure.endswith("usd_total"):
        return []
    dated = f"{price.source}, as of {price.as_of}" if price.as_of else price.source
    terms = [bound["replica_hours"], price.usd_per_hour]
    words = "replica_hours x USD/h"
    if places != 1:
        terms.append(1.0 / places)
        words += " / replicas an instance holds"
    return [step(figure, PRODUCT, terms, bound["usd_total"], "USD", dated, words)]
