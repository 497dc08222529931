"""What a policy is built for, beside its own block: the fleet, the traffic, the platform."""

from __future__ import annotations

from typing import Final, NamedTuple


class NoServiceTime(Exception):
    """Services that take no time, where a rate was to follow from how long they take."""

    exit_code: Final = 2


class Context(NamedTuple):
    """The run a policy is made for.

    Parameters
    ----------
    hosting : str. The scenario's ``hosting.kind``, from which some defaults follow.
    minimum, maximum : int. Bounds of the capacity. [replicas]
    initial : int or None. The warm fleet at t = 0, where the analyst has set it. [replicas]
    slots : int. Requests a replica serves at once. [requests]
    mean_service_s : float. Mean service time of this model on this traffic. [s]
    t0_ns : int. The trace's origin on the wall clock, UTC. [ns]
    horizon_s : float. End of the clock: of the traffic and its tail. [s]
    cores : float. Cores of an instance, where the platform lets them be chosen. [cores]
    gpu : bool. Whether an instance has an accelerator, where the platform lets it be chosen.
    vcpus, accelerators : int. Cores and devices of a replica's instance, where it has a type.
    """

    hosting: str
    minimum: int
    maximum: int
    initial: int | None
    slots: int
    mean_service_s: float
    t0_ns: int = 0
    horizon_s: float = float("inf")
    cores: float = 1.0
    gpu: bool = True
    vcpus: int = 1
    accelerators: int = 0

    @property
    def warm(self) -> int:
        """Replicas ready at t = 0: as set, else the minimum. [replicas]"""
        return self.minimum if self.initial is None else self.initial

    def service_s(self, follows: str) -> float:
        """The mean service time, from which a rate is to follow. [s]

        Parameters
        ----------
        follows : str. What does: a setting that is not set, or in words.

        Raises
        ------
        NoServiceTime : it is 0, and no rate follows.
        """
        if not self.mean_service_s > 0.0:
            own = f"set {follows}, or " if follows.startswith("policy.") else ""
            raise NoServiceTime(
                f"{follows} cannot follow from a mean service time of {self.mean_service_s:g} s: "
                f"{own}set service.kind fixed and service.mean_s, or mend service_s of the traffic"
            )
        return self.mean_service_s
