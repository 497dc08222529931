"""A queue's name in Kendall's notation and its parameters, read as a station.

``A/S/c/K``: law of the gaps, law of the service, servers, places in the system (those in service
counted).
"""

from __future__ import annotations

import math
import re
from typing import Final

from modeler.referee.laws import Deterministic, Erlang, Exponential, Law, cv2_of, service_law
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.station import Station

_KENDALL: Final = re.compile(
    r"(?P<gap>M|D)/(?P<service>M|D|G|E\d*|H2)/(?P<servers>c|s|k|m|n|inf|infinity|∞|\d+)"
    r"(?:/(?P<places>c|s|m|K|N|\d+))?$"
)
_STATED: Final = 1e-3  # what a file states twice it may have rounded
_ENDLESS: Final = ("inf", "infinity", "∞")


def is_kendall(model: str) -> bool:
    """Whether a model's name is one that `station` reads."""
    return _KENDALL.match(model.strip()) is not None


def station(model: str, params: Parameters) -> Station:
    """The queue of a case.

    Raises
    ------
    CaseError
        A parameter is missing or out of range, or the queue has no steady state.
    """
    found = _KENDALL.match(model.strip())
    if found is None:
        raise CaseError(f"{model!r} is not a queue in Kendall's notation")
    endless = found["servers"] in _ENDLESS
    service, note = service_of(found["service"], params, endless=endless)
    servers = servers_of(found["servers"], params)
    gap_mean = service.mean / (offered_load(params, service, servers))
    gap: Law = Exponential(gap_mean) if found["gap"] == "M" else Deterministic(gap_mean)
    if endless:
        servers = enough_servers(service.mean / gap_mean)
    capacity = _capacity(found["places"], params, servers)
    result = Station(gap, service, servers, capacity, note)
    if capacity is None and result.rho >= 1.0:
        raise CaseError(f"offered load per server is {result.rho:.4g}: there is no steady state")
    check_stated(params, result, endless=endless)
    return result


def check_stated(params: Parameters, queue: Station, *, endless: bool = False) -> None:
    """Compare what a case states beside what determines its queue.

    Raises
    ------
    CaseError
        Two parameters say different things.
    """
    offered = queue.service.mean / queue.gap.mean
    stated = {
        "arrival_rate": 1.0 / queue.gap.mean,
        "service_rate": 1.0 / queue.service.mean,
        "mean_service": queue.service.mean,
        "offered_load": offered,
        "cv2": queue.service.cv2,
    }
    if not endless:
        stated["rho"] = offered / queue.servers
    if queue.capacity is not None:
        stated["capacity"] = float(queue.capacity)
        stated["queue_limit"] = float(queue.capacity - queue.servers)
    free = params.number("service_rate") is None and params.number("mean_service") is None
    for name, value in stated.items():
        given = params.number(name)
        if name == "arrival_rate" and free:
            continue
        if given is not None and not math.isclose(given, value, rel_tol=_STATED, abs_tol=_STATED):
            raise CaseError(f"params.{name}: found {given:g}, but the others make it {value:g}")
    law = params.text("distribution")
    told = cv2_of(law.strip().lower())
    if told is not None and not math.isclose(told, queue.service.cv2, rel_tol=_STATED):
        raise CaseError(
            f"params.distribution: found {law!r}, but the others make a cv2 of "
            f"{queue.service.cv2:g}"
        )


def enough_servers(offered: float) -> int:
    """More servers than an infinite-server queue of this load is ever seen to use."""
    return math.ceil(offered + 12.0 * math.sqrt(offered) + 40.0)


def service_of(letter: str, params: Parameters, *, endless: bool = False) -> tuple[Law, str]:
    """The service law of a queue, by its letter, and a note where it is not the one named."""
    rate = params.number("service_rate")
    mean = params.number("mean_service")
    if mean is None:
        # Loads given in erlangs, or as rho, leave the unit of time free.
        free = params.number("offered_load") is not None or params.number("rho") is not None
        if rate is None and not free:
            mean = params.positive("mean_service", "service_rate")
        mean = 1.0 if rate is None else 1.0 / params.positive("service_rate")
    if not mean > 0.0:
        raise CaseError(f"params.mean_service: found {mean:g}, expected a number above 0")
    if letter == "M":
        return Exponential(mean), ""
    if letter == "D":
        return Deterministic(mean), ""
    if letter.startswith("E"):
        stages = params.whole("stages", least=1)
        if stages is None and letter == "E":
            raise CaseError("params.stages is missing: how many stages the Erlang law has")
        return Erlang(mean, stages if stages is not None else int(letter[1:])), ""
    name = params.text("distribution") or ("hyperexponential" if letter == "H2" else "")
    cv2 = _cv2(params, mean)
    if endless and cv2 is None and not name:
        return Exponential(mean), "no service law is named: replayed as exponential"
    return service_law(name, mean, cv2)


def _cv2(params: Parameters, mean: float) -> float | None:
    cv2 = params.number("cv2")
    cv = params.number("cv")
    variance = params.number("variance")
    second = params.number("second_moment")
    if cv2 is not None:
        return cv2
    if cv is not None:
        return cv * cv
    if variance is not None:
        return variance / mean**2
    return None if second is None else max(second / mean**2 - 1.0, 0.0)


def servers_of(symbol: str, params: Parameters) -> int:
    """Servers, by their symbol and the parameters; 1 where they are without end. [replicas]"""
    if symbol.isdigit():
        stated = params.whole("servers", least=1)
        if stated is not None and stated != int(symbol):
            raise CaseError(f"params.servers: found {stated}, but the model has {symbol}")
        return int(symbol)
    if symbol in _ENDLESS:
        return 1
    stated = params.whole("servers", least=1)
    if stated is None:
        params.need("servers")
        raise AssertionError("need() raises for what is missing")
    return stated


def offered_load(params: Parameters, service: Law, servers: int) -> float:
    """Offered load in erlangs. [-]"""
    if params.number("arrival_rate") is not None:
        return params.positive("arrival_rate") * service.mean
    if params.number("offered_load") is not None:
        return params.positive("offered_load")
    return params.positive("arrival_rate", "rho") * servers


def _capacity(symbol: str | None, params: Parameters, servers: int) -> int | None:
    if symbol is None:
        return None
    if symbol.isdigit():
        capacity = int(symbol)
    elif symbol in ("K", "N"):
        waiting = params.whole("queue_limit", least=0)
        stated = params.whole("capacity", least=1)
        if stated is None and waiting is None:
            params.need("capacity")
        capacity = stated if stated is not None else servers + int(waiting or 0)
    else:
        capacity = servers
    if capacity < servers:
        raise CaseError(f"params.K: found {capacity}, expected at least the {servers} servers")
    return capacity
