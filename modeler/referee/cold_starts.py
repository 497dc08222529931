"""Measured starts beside the constants that were fitted without their source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modeler.predict.calibration import (
    Measurement,
    MeasurementsError,
    Missing,
    explained,
    from_rows,
    predict_measured,
)
from modeler.referee.predictions import Prediction
from modeler.referee.problems import CasesError, Problem

SCHEMA: Final = "cold-start-measurements/1"
# AWS rows that say on what and how much: the ones an analyst can act on.
AWS: Final = "AWS, instance and size stated"
_HOSTINGS: Final = (
    ("SageMaker", "SageMaker"),
    ("Lambda", "Lambda"),
    ("Cloud Run", "Cloud Run"),
    ("Karpenter|EKS|Kubernetes|Knative|KEDA|GKE|Cluster Autoscaler", "Kubernetes"),
    ("EC2|ECS", "EC2"),
    ("Modal|RunPod|GPU cloud|CoreWeave", "GPU clouds"),
    ("Ray Serve", "Ray Serve"),
)


@dataclass(frozen=True)
class ColdStartRow:
    """One measured phase."""

    measurement: Measurement

    @property
    def id(self) -> str:
        """As in its table."""
        return self.measurement.id


def read_rows(file: str, rows: Sequence[Mapping[str, str]]) -> tuple[ColdStartRow, ...]:
    """The rows of a table of measurements.

    Raises
    ------
    CasesError
        All that is wrong with it at once.
    """
    try:
        return tuple(ColdStartRow(m) for m in from_rows(rows, file))
    except MeasurementsError as error:
        problems = [Problem("", "", "", problem, "") for problem in error.problems]
        raise CasesError(problems) from error


def predict_row(row: ColdStartRow) -> Prediction:
    """One row beside its prediction, or what it does not say."""
    m = row.measurement
    got: float | None = None
    why = ""
    try:
        got = predict_measured(m)
    except Missing as error:
        why = explained(error)
    hosting = next(
        (name for pattern, name in _HOSTINGS if re.search(pattern, m.system)), "engine alone"
    )
    groups = (hosting, AWS) if m.aws_instance and m.weights_gb is not None else (hosting,)
    return Prediction(m.id, m.phase, groups, m.source, "s", m.seconds, got, why)
