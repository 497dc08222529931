"""The waterfall of a cold start by model size: what ``modeler coldstart`` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import pricing
from modeler.predict.cold_start import ColdStartLaw, Waterfall, cold_start_law, waterfall_of
from modeler.predict.constants import Constant
from modeler.predict.fit import ModelDoesNotFit, check_fit
from modeler.predict.hardware import instance_of

if TYPE_CHECKING:
    from modeler.scenario import Scenario


@dataclass(frozen=True)
class ModeTotal:
    """One of the ways a start can go, where caches hit or miss.

    Parameters
    ----------
    mode : str. Such as ``image hit, weights miss``.
    share : float. Of the starts. [1]
    p50_s, p95_s : float. Request until the replica serves, of those starts. [s]
    """

    mode: str
    share: float
    p50_s: float
    p95_s: float


@dataclass(frozen=True)
class Together:
    """Starts that are asked for at once.

    Parameters
    ----------
    replicas : int.
    alone_p50_s : float. Of one start by itself. [s]
    last_p50_s, last_p95_s : float. Until the last of them serves. [s]
    """

    replicas: int
    alone_p50_s: float
    last_p50_s: float
    last_p95_s: float


@dataclass(frozen=True)
class SizedWaterfall:
    """The cold start of one model size.

    Parameters
    ----------
    size_bytes : int. The weights. [bytes]
    waterfall : Waterfall or None. None when the model does not fit.
    error : ModelDoesNotFit or None. Why there is none.
    modes : tuple of ModeTotal. Where caches may hit; of a start by itself.
    together : Together or None. Where several were asked for at once: the waterfall is then of
        any one of them.
    """

    size_bytes: int
    waterfall: Waterfall | None
    error: ModelDoesNotFit | None = None
    modes: tuple[ModeTotal, ...] = ()
    together: Together | None = None

    def to_dict(self) -> dict[str, Any]:
        """Status, total and phases of the size."""
        found: dict[str, Any] = {
            "size_bytes": self.size_bytes,
            "status": "ok" if self.waterfall else "failed",
            "error": str(self.error) if self.error else None,
        }
        if self.waterfall is not None:
            total = self.waterfall
            found["total_s"] = {"p50": total.total_p50_s, "p95": total.total_p95_s}
            found["phases"] = [
                {
                    "phase": bar.phase,
                    "p50_s": bar.p50_s,
                    "p95_s": bar.p95_s,
                    "starts_s": bar.starts_s,
                    "ends_s": bar.ends_s,
                }
                for bar in total.phases
            ]
        if self.modes:
            found["modes"] = [dataclasses.asdict(mode) for mode in self.modes]
        if self.together is not None:
            found["together"] = {
                "replicas": self.together.replicas,
                "alone_s": {"p50": self.together.alone_p50_s},
                "last_s": {"p50": self.together.last_p50_s, "p95": self.together.last_p95_s},
            }
        return found


@dataclass(frozen=True)
class ColdStartReport:
    """Cold starts by model size on one instance and hosting.

    Parameters
    ----------
    hosting_kind, instance_type : str.
    dtype : str. Precision of the weights.
    seed : int.
    sizes : tuple of SizedWaterfall. As asked for.
    constants : tuple of Constant. In force, each with origin and source.
    """

    hosting_kind: str
    instance_type: str
    dtype: str
    seed: int
    sizes: tuple[SizedWaterfall, ...]
    constants: tuple[Constant, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report under the schema ``coldstart/1``; one size stands at the top level too."""
        report: dict[str, Any] = {
            "schema": "coldstart/1",
            "hosting": self.hosting_kind,
            "instance_type": self.instance_type,
            "dtype": self.dtype,
            "seed": self.seed,
        }
        if len(self.sizes) == 1:
            report |= self.sizes[0].to_dict()
        report["sizes"] = [size.to_dict() for size in self.sizes]
        report["constants"] = [
            {
                "name": constant.name,
                "value": constant.value,
                "unit": constant.unit,
                "origin": constant.origin,
                "source": constant.source,
                "note": constant.note or None,
            }
            for constant in self.constants
        ]
        return report


def coldstart(
    scenario: Scenario,
    sizes: Sequence[int] | None = None,
    *,
    samples: int = 2000,
    replicas: int = 1,
) -> ColdStartReport:
    """The phases of a cold start by model size.

    Parameters
    ----------
    scenario : Scenario. Hosting, model, cold-start constants and seed are read.
    sizes : sequence of int, optional. Sizes to show; the scenario's own by default. [bytes]
    samples : int. Replicas drawn per size.
    replicas : int. Asked for at one instant: they share what ``store_total_bytes_per_s`` and
        ``registry_total_bytes_per_s`` give to all together.

    Returns
    -------
    ColdStartReport

    Raises
    ------
    ModelDoesNotFit
        When none of the sizes fits the instance, its disk or its main memory; otherwise those that
        do not carry it.
    pricing.UnknownInstance, pricing.SpecNotFound, pricing.UnknownRegion
        For the instance or the region.
    """
    from modeler.scenario import with_values

    instance = instance_of(scenario)
    if scenario.hosting.platform.service in ("sagemaker", "ec2"):
        pricing.instance_types(scenario.hosting.region)  # refuses a region nobody knows
    found: list[SizedWaterfall] = []
    constants: Iterable[Constant] = ()
    for size in sizes if sizes is not None else (scenario.model.size,):
        try:
            check_fit(instance, size)
            law = cold_start_law(with_values(scenario, {"model.size": size}), instance)
        except ModelDoesNotFit as error:
            found.append(SizedWaterfall(size, None, error))
            continue
        constants = law.constants()
        found.append(_sized(size, law, samples, replicas))
    errors = [size.error for size in found if size.error is not None]
    if errors and len(errors) == len(found):
        raise errors[0]
    return ColdStartReport(
        hosting_kind=scenario.hosting.kind,
        instance_type=scenario.hosting.instance,
        dtype=scenario.model.dtype,
        seed=scenario.seed,
        sizes=tuple(found),
        constants=tuple(constants),
    )


def _sized(size: int, law: ColdStartLaw, samples: int, replicas: int) -> SizedWaterfall:
    """The waterfall of a law, its modes, and what it is for several at once."""
    waterfall = law.waterfall(samples)
    modes = []
    if len(law.modes()) > 1:
        for mode in law.modes():
            one = mode.law.waterfall(samples)
            words = ", ".join(mode.words)
            modes.append(ModeTotal(words, mode.share, one.total_p50_s, one.total_p95_s))
    if replicas == 1:
        return SizedWaterfall(size, waterfall, modes=tuple(modes))
    batches = max(samples // replicas, 1) if law.varies else 1
    table = law.sample_together(replicas, batches)
    last_p50, last_p95 = np.quantile(table.ready_s.reshape(-1, replicas).max(axis=1), (0.5, 0.95))
    return SizedWaterfall(
        size,
        waterfall_of(law.phases, table),
        modes=tuple(modes),
        together=Together(replicas, waterfall.total_p50_s, float(last_p50), float(last_p95)),
    )
