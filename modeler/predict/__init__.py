"""Foresee: what a model weighs, how long a request takes, how long a replica needs to start.

Where to read first: `cold_start.py` (the law and its constants), `timeline.py` (when the phases
begin and end), `service.py` (service times), then `size.py` and `s3.py` for bytes.
"""

from modeler.predict.cold_start import (
    ColdStartLaw,
    ColdStartTable,
    PhaseQuantiles,
    Waterfall,
    cold_start_law,
    serial_stages,
)
from modeler.predict.constants import Constant
from modeler.predict.explain import explain
from modeler.predict.fit import ModelDoesNotFit, check_fit, smallest_instance
from modeler.predict.hardware import instance_of, listed_price
from modeler.predict.precision import BYTES_PER_PARAMETER, bytes_by_precision, parameters_of
from modeler.predict.service import ServiceLaw, service_law
from modeler.predict.service_draws import ServiceError
from modeler.predict.size import SizeError, SizeReport, measure_size
from modeler.predict.start_laws import StartLaws
from modeler.predict.waterfall import ColdStartReport, SizedWaterfall, coldstart

__all__ = [
    "BYTES_PER_PARAMETER",
    "ColdStartLaw",
    "ColdStartReport",
    "ColdStartTable",
    "Constant",
    "ModelDoesNotFit",
    "PhaseQuantiles",
    "ServiceError",
    "ServiceLaw",
    "SizeError",
    "SizeReport",
    "SizedWaterfall",
    "StartLaws",
    "Waterfall",
    "bytes_by_precision",
    "check_fit",
    "cold_start_law",
    "coldstart",
    "explain",
    "instance_of",
    "listed_price",
    "measure_size",
    "parameters_of",
    "serial_stages",
    "service_law",
    "smallest_instance",
]
