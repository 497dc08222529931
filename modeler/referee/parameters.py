"""The parameters of a case under any of their usual names."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

# House name, then the names under which textbooks and files give the same thing.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "arrival_rate": ("arrival_rate", "lambda", "lam", "arrival_rate_rps", "arrival_rps"),
    "service_rate": ("service_rate", "mu"),
    "mean_service": (
        "mean_service", "mean_service_s", "mean_service_time", "mean_service_time_s", "service",
        "service_s", "service_time", "service_time_s", "mean_warm_service", "warm_service",
        "mean_warm_service_s", "warm_service_s", "mean_warm",
    ),
    "mean_cold_service": (
        "mean_cold_service", "mean_cold_service_s", "cold_service", "cold_service_s", "mean_cold",
        "mean_cold_response", "cold_response_s",
    ),
    "max_instances": (
        "max_instances", "max_environments", "max_concurrency", "cap", "maximum_concurrency",
    ),
    "mean_keep_alive": ("mean_keep_alive", "mean_keep_alive_s", "keep_alive_mean"),
    "keep_alive_rate": ("keep_alive_rate", "expiration_rate", "gamma"),
    "servers": ("c", "servers", "n_servers", "slots", "replicas", "instances"),
    "capacity": ("K", "k", "capacity", "system_capacity", "max_in_system"),
    "queue_limit": ("queue_limit", "waiting_places", "waiting_room", "buffer", "queue_capacity"),
    "offered_load": ("offered_load", "offered_load_erlangs", "erlangs", "a", "A"),
    "rho": ("rho", "utilisation", "utilization", "load"),
    "cv2": ("cv2_service", "cv2", "scv", "scv_service", "cv2_service_time", "service_cv2", "cs2"),
    "cv": ("cv_service", "cv", "service_cv"),
    "variance": ("variance_service", "var_service", "service_variance"),
    "second_moment": ("second_moment", "second_moment_service", "service_second_moment"),
    "stages": ("k_erlang", "erlang_k", "stages", "phases", "shape"),
    "distribution": ("distribution", "service_distribution", "service_law", "law"),
    "setup": ("setup", "setup_s", "setup_time", "setup_time_s"),
    "mean_setup": ("mean_setup", "mean_setup_s", "mean_setup_time", "mean_setup_time_s"),
    "setup_rate": ("setup_rate", "alpha"),
    "cv2_setup": ("cv2_setup", "setup_cv2", "scv_setup"),
    "keep_alive": (
        "keep_alive", "keep_alive_s", "keepalive", "keep_alive_time", "delay_off", "delayed_off",
        "t_wait", "idle_timeout", "idle_timeout_s",
    ),
    "base_rate": ("base_rate", "mean_rate", "mean_arrival_rate", "average_rate"),
    "amplitude": ("amplitude", "relative_amplitude"),
    "period": ("period", "period_s"),
    "t": ("t", "t_s", "threshold", "threshold_s"),
    "n": ("n",),
}  # fmt: skip


class CaseError(ValueError):
    """A case that cannot be replayed as it stands; the message says why."""


class UnknownError(CaseError):
    """A case that asks for something this version does not know: neither right nor wrong."""


class Parameters:
    """The parameters of one case; remembers which were used."""

    def __init__(self, values: Mapping[str, float | str]) -> None:
        self._values = values
        self._used: set[str] = set()

    def number(self, name: str) -> float | None:
        """A parameter by its house name, under whatever name the case gives it."""
        value = self._find(name)
        if isinstance(value, str):
            raise CaseError(f"params.{name}: found {value!r}, expected a number")
        return value

    def text(self, name: str) -> str:
        """A parameter that is a name; empty when not given."""
        value = self._find(name)
        return "" if value is None else str(value)

    def need(self, *names: str) -> float:
        """The first of `names` that is given.

        Raises
        ------
        CaseError
            None of them is given; names the nearest that is.
        """
        for name in names:
            value = self.number(name)
            if value is not None:
                return value
        raise CaseError(f"params: {' or '.join(names)} is missing{self._near(names[0])}")

    def positive(self, *names: str) -> float:
        """As `need`, and above zero."""
        value = self.need(*names)
        if not value > 0.0:
            raise CaseError(f"params.{names[0]}: found {value:g}, expected a number above 0")
        return value

    def whole(self, name: str, *, least: int) -> int | None:
        """A whole number of at least `least`, when given."""
        value = self.number(name)
        if value is None:
            return None
        if value != int(value) or value < least:
            raise CaseError(
                f"params.{name}: found {value:g}, expected a whole number of at least {least}"
            )
        return int(value)

    def unused(self) -> list[str]:
        """Parameters that nothing has asked for."""
        return [name for name in self._values if name not in self._used]

    def _find(self, name: str) -> float | str | None:
        for alias in NAMES.get(name, (name,)):
            if alias in self._values:
                self._used.add(alias)
                return self._values[alias]
        return None

    def _near(self, name: str) -> str:
        near = get_close_matches(name, self.unused(), n=1, cutoff=0.5)
        return f"; did you mean {near[0]!r}?" if near else ""
