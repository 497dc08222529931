"""The waterfall of a cold start by model size: what ``modeler coldstart`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pricing
from modeler.predict.cold_start import Waterfall, cold_start_law
from modeler.predict.constants import Constant
from modeler.predict.fit import ModelDoesNotFit, check_fit
from modeler.predict.hardware import instance_of

if TYPE_CHECKING:
    from modeler.scenario import Scenario


@dataclass(frozen=True)
class SizedWaterfall:
    """The cold start of one model size.

    Parameters
    ----------
    size_bytes : int. The weights. [bytes]
    waterfall : Waterfall or None. None when the model does not fit.
    error : ModelDoesNotFit or None. Why there is none.
    """

    size_bytes: int
    waterfall: Waterfall | None
    error: ModelDoesNotFit | None = None

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
    scenario: Scenario, sizes: Sequence[int] | None = None, *, samples: int = 2000
) -> ColdStartReport:
    """The phases of a cold start by model size.

    Parameters
    ----------
    scenario : Scenario. Hosting, model, cold-start constants and seed are read.
    sizes : sequence of int, optional. Sizes to show; the scenario's own by default. [bytes]
    samples : int. Replicas drawn per size.

    Returns
    -------
    ColdStartReport

    Raises
    ------
    ModelDoesNotFit
        When none of the sizes fits the instance; otherwise those that do not carry it.
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
        except ModelDoesNotFit as error:
            found.append(SizedWaterfall(size, None, error))
            continue
        law = cold_start_law(with_values(scenario, {"model.size": size}), instance)
        constants = law.constants()
        found.append(SizedWaterfall(size, law.waterfall(samples)))
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
