"""How long a request keeps its slot.

``service_law(scenario, trace, instance)`` gives a law; ``law.draw(chunk)`` gives the service time
and the time to the first token of every request of a chunk. Draws depend on the seed and the
request's ordinal alone, so every scenario of a sweep serves the same requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

import pricing
from modeler.predict.batched_service import (
    BatchedError,
    StepBatching,
    full_replica,
    mean_tokens,
    slot_seconds,
    step_batching,
)
from modeler.predict.dynamic_service import DynamicBatching, dynamic_batching
from modeler.predict.latency import Group, NotCovered
from modeler.predict.precision import parameters_of, precision
from modeler.predict.service_draws import (
    ServiceError,
    empirical,
    exponential,
    fixed,
    lognormal,
    read_seconds,
)

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec
    from traces import Chunk, CountSeries, Trace

Floats = NDArray[np.float64]

TOKENS: Final = ("prompt_tokens", "output_tokens")
# Assumed where neither the trace nor the analyst says how long a request takes.
FALLBACK_MEAN_S: Final = 0.2
SLOTS_TOKEN_TRAFFIC: Final = 8
_CHUNK: Final = 262_144


@dataclass(frozen=True)
class ServiceLaw:
    """Service times of the requests of one trace.

    Parameters
    ----------
    kind : str. ``tokens``, ``batched``, ``dynamic``, ``trace``, ``fixed``, ``exponential``,
        ``lognormal`` or ``empirical``.
    tokens : bool. The traffic carries tokens.
    text : str. The law in words, with its figures.
    times : callable. Chunk to service time and time to the first token. [s]
    expected_s : float or None. Mean of a law that does not look at the requests. [s]
    batching : StepBatching, DynamicBatching or None. Of replicas that batch, continuously or
        dynamically: what a request takes depends on the others, and `times` gives its share of a
        full replica.
    """

    kind: str
    tokens: bool
    text: str
    times: Callable[[Chunk], tuple[Floats, Floats]] = field(repr=False)
    expected_s: float | None = None
    batching: StepBatching | DynamicBatching | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What of a measured law was not measured; in words, for the reader of a result."""
        return () if self.batching is None else self.batching.notes

    @property
    def slots_default(self) -> int:
        """Requests a replica serves at once unless the scenario says: 8 for token traffic, or 1.

        Of replicas that batch the largest batch; of continuous batching the sequences in flight
        that servers allow by default.
        """
        if self.batching is not None:
            return self.batching.slots
        return SLOTS_TOKEN_TRAFFIC if self.tokens else 1

    def draw(self, chunk: Chunk) -> tuple[Floats, Floats]:
        """Service time and time to the first token of every request of a chunk.

        Parameters
        ----------
        chunk : Chunk. Requests with their ordinals.

        Returns
        -------
        service_s, first_token_s : array of float, array of float
            From the start of service; equal where nothing is known of tokens. [s]
        """
        return self.times(chunk)

    def mean_s(self, trace: Trace | CountSeries) -> float:
        """Mean service time.

        Parameters
        ----------
        trace : Trace or CountSeries. The trace the law was made for.

        Returns
        -------
        float
            Exact: over the requests for laws that read them, otherwise the law's own. [s]
        """
        if self.expected_s is not None:
            return self.expected_s
        sums = [float(np.sum(self.times(chunk)[0])) for chunk in trace.chunks(_CHUNK)]
        return math.fsum(sums) / trace.requests

    def describe(self) -> str:
        """The law in one line."""
        return self.text


def service_law(
    scenario: Scenario, trace: Trace | CountSeries, instance: InstanceSpec
) -> ServiceLaw:
    """The service law of a scenario on a trace.

    Parameters
    ----------
    scenario : Scenario. ``service``, ``model``, ``seed`` and ``sla.metric`` are read.
    trace : Trace or CountSeries. Its columns decide what ``auto`` means.
    instance : InstanceSpec. Its accelerators set the speed of the token law.

    Returns
    -------
    ServiceLaw

    Raises
    ------
    ServiceError
        The law needs a column the trace lacks, figures of an accelerator that are not held, or a
        file that cannot be read; or the first token is asked for and the law knows of none.
    """
    columns = trace.columns
    has_tokens = all(name in columns for name in TOKENS)
    settings: Any = scenario.service
    kind = settings.kind
    if kind == "auto":
        # What was measured goes before what a rule predicts.
        kind = "trace" if "service_s" in columns else "tokens" if has_tokens else "exponential"
    seed = scenario.seed
    if scenario.sla.metric == "first_token" and kind not in ("tokens", "batched"):
        raise ServiceError(
            kind,
            "says nothing of a first token; set sla.metric to latency, or service.kind to tokens "
            "for traffic with prompt_tokens and output_tokens",
        )
    if kind in ("tokens", "batched"):
        if not has_tokens:
            raise ServiceError(
                kind,
                f"the trace has no {' and '.join(TOKENS)}; "
                "set service.kind to fixed, exponential, lognormal or empirical",
            )
        if kind == "batched":
            return _batched(scenario, trace, instance)
        return _tokens(scenario, instance)
    if kind == "dynamic":
        return _dynamic(scenario, instance, tokens=has_tokens)
    if kind == "trace":
        if "service_s" not in columns:
            raise ServiceError(
                kind,
                "the trace has no service_s column; "
                "set service.kind to fixed, exponential, lognormal or empirical",
            )
        return ServiceLaw(kind, has_tokens, "service times of the trace", _from_trace)
    if kind == "fixed":
        mean = settings.mean_s
        return ServiceLaw(kind, has_tokens, f"fixed {mean:g} s", fixed(mean), mean)
    if kind == "exponential":
        mean = getattr(settings, "mean_s", FALLBACK_MEAN_S)
        text = f"exponential, mean {mean:g} s"
        return ServiceLaw(kind, has_tokens, text, exponential(seed, mean), mean)
    if kind == "lognormal":
        mean, cv = settings.mean_s, settings.cv
        text = f"lognormal, mean {mean:g} s, cv {cv:g}"
        return ServiceLaw(kind, has_tokens, text, lognormal(seed, mean, cv), mean)
    values = read_seconds(settings.file)
    text = f"drawn from {len(values)} measured times"
    return ServiceLaw("empirical", has_tokens, text, empirical(seed, values), float(values.mean()))


@dataclass(frozen=True)
class TokenRates:
    """Seconds per token of one model on one instance.

    Parameters
    ----------
    prompt_s : float. Prefill per prompt token. [s]
    output_s : float. Decoding step per output token. [s]
    maths : str. Arithmetic that prompts run in.
    """

    prompt_s: float
    output_s: float
    maths: str


def token_rates(
    size_bytes: float,
    dtype: str,
    instance: InstanceSpec,
    *,
    prefill_efficiency: float = 0.5,
    bandwidth_efficiency: float = 0.75,
    step_overhead_s: float = 0.002,
) -> TokenRates:
    """Seconds per prompt token and per output token.

    Parameters
    ----------
    size_bytes : float. The weights. [bytes]
    dtype : str. Their precision.
    instance : InstanceSpec. All its accelerators work on every request.
    prefill_efficiency : float. Share of the dense peak that prefill reaches, in the arithmetic
        that the precision runs in. [1]
    bandwidth_efficiency : float. Share of the memory bandwidth that decoding reaches. [1]
    step_overhead_s : float. Overhead of each decoding step. [s]

    Returns
    -------
    TokenRates

    Raises
    ------
    ServiceError
        The instance has no accelerator, one without figures, or one on which the precision does
        not run.

    Notes
    -----
    Prefill takes 2 FLOP per parameter and prompt token; a decoding step reads every weight once.
    With 0.5, 0.75 and 2 ms the rule came within a median 12 % of 46 published points of batch and
    single-request latency (latency rules, section 2; read 2026-11).
    """
    if instance.accelerator is None:
        raise ServiceError(
            "tokens",
            f"{instance.instance_type} has no accelerator to derive seconds per token from; give a "
            "law, e.g. --set service.kind=fixed --set service.mean_s=0.8, or another instance",
        )
    try:
        one = pricing.accelerator(instance.accelerator)
    except pricing.SpecNotFound as error:
        raise ServiceError(
            "tokens",
            f"no figures are held for {instance.accelerator} of {instance.instance_type}; give a "
            "law, e.g. --set service.kind=fixed --set service.mean_s=0.8",
        ) from error
    count = instance.accelerator_count
    group = Group(one, count)
    try:
        maths = group.maths_of(precision(dtype))
    except NotCovered as error:
        raise ServiceError("tokens", f"model.dtype = {dtype}: {error}") from error
    peak = prefill_efficiency * group.flops(maths) * count
    bandwidth = bandwidth_efficiency * one.memory_bandwidth_bytes_per_s * count
    return TokenRates(
        prompt_s=2.0 * parameters_of(size_bytes, dtype) / peak,
        output_s=size_bytes / bandwidth + step_overhead_s,
        maths=maths,
    )


def _tokens(scenario: Scenario, instance: InstanceSpec) -> ServiceLaw:
    settings: Any = scenario.service
    efficiencies = {
        name: getattr(settings, name)
        for name in ("prefill_efficiency", "bandwidth_efficiency", "step_overhead_s")
        if settings.kind == "tokens"
    }
    rates = token_rates(scenario.model.size, scenario.model.dtype, instance, **efficiencies)

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        prompt, output = (chunk.columns[name] for name in TOKENS)
        prefill = prompt * rates.prompt_s
        # A request without output ends with its prefill.
        first = prefill + np.minimum(output, 1.0) * rates.output_s
        return prefill + output * rates.output_s, first

    text = (
        f"per token: {rates.prompt_s * 1e3:.4g} ms a prompt token, "
        f"{rates.output_s * 1e3:.4g} ms an output token; products in {rates.maths}"
    )
    return ServiceLaw("tokens", True, text, times)


def _batched(scenario: Scenario, trace: Trace | CountSeries, instance: InstanceSpec) -> ServiceLaw:
    try:
        steps = step_batching(scenario, instance)
    except BatchedError as error:
        raise ServiceError("batched", str(error)) from error
    full = full_replica(steps, *mean_tokens(trace, _CHUNK))

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        seconds = slot_seconds(steps, full, chunk)
        return seconds, seconds

    return ServiceLaw("batched", True, steps.law.text, times, batching=steps)


def _dynamic(scenario: Scenario, instance: InstanceSpec, *, tokens: bool) -> ServiceLaw:
    try:
        batches = dynamic_batching(scenario, instance)
    except BatchedError as error:
        raise ServiceError("dynamic", str(error)) from error
    # Its share of a full replica times the slots: the seconds of the largest batch.
    whole = batches.seconds[-1]
    return ServiceLaw("dynamic", tokens, batches.text, fixed(whole), whole, batches)


def _from_trace(chunk: Chunk) -> tuple[Floats, Floats]:
    service = chunk.columns["service_s"]
    return service, service
