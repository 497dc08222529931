"""The blocks of a file ``choice/1``: variants of a model, places to run them, limits."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from modeler.predict.precision import precision, precisions
from modeler.scenario.errors import nearest
from modeler.scenario.fields import SOME, Block, Bytes, Count, Number, Seconds, Share, setting
from modeler.scenario.schema import SMALLEST_MODEL_BYTES

# Validation context of values that come out of a file. There a bare number below a thousand is
# taken for a slip of the unit: 64 was meant as 64MB.
IN_A_FILE: Final = {"in_a_file": True}
_LEAST_BARE_BYTES: Final = 1000
_MOST_BYTES: Final = 10**18
_ROUND_TRIP: Final = "a place beside its caller"
# Named in a mistake; the table has more.
_PRECISIONS: Final = ("fp32", "fp16", "bf16", "fp8", "int8", "int4", "gptq", "awq", "nf4", "q4_k_m")


def _no_slip(value: Any, info: ValidationInfo) -> Any:
    bare = isinstance(value, int | float) and not isinstance(value, bool)
    if bare and info.context == IN_A_FILE and value < _LEAST_BARE_BYTES:
        message = f"{value:g} is no size without its unit: write {value:g}MB or {value:g}GB"
        raise _refusal(message, "a size with its unit")
    return value


def _refusal(message: str, expected: str) -> PydanticCustomError:
    # The message goes in as a value: a brace in what was written is not a placeholder.
    return PydanticCustomError("quantity", "{message}", {"message": message, "expected": expected})


class Variant(Block):
    """One model that may be chosen. What is not stated is not made up."""

    name: str = setting(..., "What to call it; the catalogue's where left out.", min_length=1)
    catalogue: str | None = setting(
        None,
        "A published model, such as resnet50 or llama-3.1-8b, whose row fills what is not "
        "written: size, accuracy, parameters, operations, source.",
        min_length=1,
        derived="everything is written here",
    )
    dtype: str | None = setting(
        None,
        "Precision of the weights. Of a published model it decides the size, with what stays in "
        "16 bits where the architecture is known; accuracy as published holds from 16 bits up.",
        derived="as published, else fp16",
    )
    size: Bytes = setting(
        ...,
        "Size of the weights; of a published model its own.",
        unit="bytes",
        ge=SMALLEST_MODEL_BYTES,
        le=_MOST_BYTES,
    )
    latency_s: Seconds | None = setting(
        None,
        "One inference on a machine of speed 1.",
        unit="s",
        derived="the place's flops_per_s with flops, else a rule for the instance's accelerator "
        "with network or tokens",
        gt=0,
        le=1e7,
    )
    cv: Number = setting(
        0.0,
        "Spread of one inference: standard deviation over mean.",
        origin="assumed",
        source="a network takes the same time for every input",
        ge=0,
        le=10,
    )
    flops: Number | None = setting(
        None,
        "Operations of one inference, or of one token; a multiply-add is two.",
        unit="FLOP",
        derived="no compute budget can be met",
        gt=0,
        le=1e30,
    )
    network: str | None = setting(
        None,
        "Network of one pass whose time a rule predicts, as resnet50.",
        min_length=1,
        derived="the catalogue's name",
    )
    architecture: str | None = setting(
        None,
        "Published token model or encoder whose time and memory a rule predicts, as llama-3.1-8b.",
        min_length=1,
        derived="the catalogue's name",
    )
    prompt_tokens: Count | None = setting(
        None,
        "Tokens of a request that are read: with output_tokens the context.",
        unit="tokens",
        derived="no rule of token models",
        ge=1,
        le=10**7,
    )
    output_tokens: Count = setting(
        0,
        "Tokens of a request that are written, one after another; 0 for an encoder.",
        unit="tokens",
        ge=0,
        le=10**7,
    )
    accuracy: Number | None = setting(
        None,
        "As measured or published, in the metric's own unit, more being better.",
        derived="passes no limit on accuracy",
    )
    metric: str = setting("", "What the accuracy is of; one for all variants.", derived="not named")
    source: str = setting(..., "Where the figures come from.", min_length=1)
    parameters: Number | None = setting(
        None, "Of the model.", unit="parameters", derived="not known", gt=0, le=1e18
    )
    training_tokens: Number | None = setting(
        None,
        "Tokens, or examples, that it was trained on.",
        unit="tokens",
        derived="not known",
        gt=0,
        le=1e18,
    )
    training_flops: Number | None = setting(
        None,
        "Operations of its training.",
        unit="FLOP",
        derived="6 x parameters x training_tokens, where both are known",
        gt=0,
        le=1e36,
    )

    _no_slip = field_validator("size", mode="before")(_no_slip)

    @field_validator("dtype", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return precision(value).name
        except ValueError:
            near = nearest(value, precisions())
            expected = f"a precision such as {', '.join(_PRECISIONS)}"
            message = f'unknown precision "{value}": expected {expected}'
            hint = f'; did you mean "{near}"?' if near else ""
            raise _refusal(message + hint, expected) from None

    @property
    def training(self) -> float | None:
        """Operations of its training: as given, else 6 x parameters x tokens. [FLOP]"""
        if self.training_flops is not None:
            return self.training_flops
        if self.parameters is not None and self.training_tokens is not None:
            return 6.0 * self.parameters * self.training_tokens
        return None


class Place(Block):
    """Where a variant may run.

    A device is in the user's hand, without a network or a bill. A cloud is instances behind a round
    trip, always on, before which requests queue. A batch is instances started for a queue and
    stopped after, whose answers come by a deadline.
    """

    name: str = setting(..., "What to call it.", min_length=1)
    kind: Literal["device", "cloud", "batch"] = setting(..., "What sort of place it is.")
    source: str = setting(..., "Where the figures come from.", min_length=1)
    speed: Number = setting(
        1.0,
        "How much faster than a machine of speed 1 it serves a stated latency.",
        origin="assumed",
        source="the machine the latency was measured on",
        ge=1e-6,
        le=1e6,
    )
    memory: Bytes | None = setting(
        None, "Budget for the weights.", unit="bytes", derived="no budget", gt=0,
        le=_MOST_BYTES,
    )  # fmt: skip
    storage: Bytes | None = setting(
        None, "Budget for the weights.", unit="bytes", derived="no budget", gt=0,
        le=_MOST_BYTES,
    )  # fmt: skip
    flops_per_s: Number | None = setting(
        None,
        "Budget of operations a second.",
        unit="FLOP/s",
        derived="the variant's latency has to be stated",
        ge=1,
        le=1e24,
    )
    instance: str | None = setting(
        None,
        "Instance type of a cloud or a batch, such as g5.xlarge or ml.g5.xlarge.",
        min_length=1,
        derived="must be given for a cloud or a batch",
    )
    region: str = setting("us-east-1", "Of the price.", min_length=1)
    slots: Count | None = setting(
        None,
        "Requests that a copy of the model serves at once; of a stated latency, without slowing "
        "down. An accelerator's other devices hold more copies of a token model.",
        origin="assumed",
        source="a small batch for token traffic, one worker otherwise",
        derived="8 for a token model, or as many as its cache leaves room for; else 1",
        ge=1,
        le=4096,
    )
    round_trip_s: Seconds = setting(
        0.0,
        "Of a cloud: network there and back.",
        unit="s",
        origin="assumed",
        source=_ROUND_TRIP,
        le=1e5,
    )
    utilisation: Share = setting(
        0.6,
        "Of a cloud: share of time its instances serve at most.",
        origin="assumed",
        source="room for peaks",
        ge=0.01,
        le=1,
    )
    deadline_s: Seconds | None = setting(
        None,
        "Of a batch: from the start of a run to its last answer, and to the next run.",
        unit="s",
        derived="must be given for a batch",
        ge=1,
        le=1e9,
    )
    start_s: Seconds | None = setting(
        None,
        "Of a batch: from its request until an instance serves.",
        unit="s",
        derived="the predicted median cold start",
        le=1e9,
    )
    watts: Number | None = setting(
        None,
        "Power of what serves, for the energy class.",
        unit="W",
        derived="design power of the instance's accelerators",
        gt=0,
    )

    _no_slip = field_validator("memory", "storage", mode="before")(_no_slip)


class World(Block):
    """What has to hold: limits, and whether there is a connection."""

    name: str = setting(..., "What to call it.", min_length=1)
    accuracy_at_least: Number | None = setting(
        None, "In the metric's own unit.", derived="no limit"
    )
    latency_at_most_s: Seconds | None = setting(
        None,
        "From request to answer, wait and round trip included.",
        unit="s",
        derived="no limit",
        gt=0,
        le=1e10,
    )
    latency_share: Share = setting(
        0.99,
        "Share of requests that keep it: the percentile of every latency shown.",
        origin="assumed",
        source="a usual objective",
        ge=0.01,
        le=0.999999,
    )
    cold_start_at_most_s: Seconds | None = setting(
        None,
        "Median start of a new replica in a cloud.",
        unit="s",
        derived="no limit",
        gt=0,
    )
    size_at_most: Bytes | None = setting(
        None, "Size of the weights.", unit="bytes", derived="no limit", gt=0, le=_MOST_BYTES
    )
    usd_per_month_at_most: Number | None = setting(
        None, "Bill of a month of 730 hours.", unit="USD", derived="no limit", ge=0
    )
    offline: bool = setting(False, "Without a connection: only devices will do.")

    _no_slip = field_validator("size_at_most", mode="before")(_no_slip)


class Choice(Block):
    """Variants, places and worlds, with the demand that all of them meet."""

    schema_: Literal["choice/1"] = Field(
        "choice/1",
        alias="schema",
        description="The form of the file.",
        json_schema_extra={"unit": "", "origin": None, "source": "", "derived": ""},
    )
    name: str = setting(..., "What to call it.", min_length=1)
    requests_per_second: Number = setting(
        ..., "Demand: requests a second on average, at random moments.", gt=0, le=1e12
    )
    variants: Annotated[tuple[Variant, ...], SOME] = setting(..., "What may be chosen.")
    places: Annotated[tuple[Place, ...], SOME] = setting(..., "Where it may run.")
    worlds: Annotated[tuple[World, ...], SOME] = setting(..., "Under which limits.")


# Keys of a place that mean nothing to the other kinds.
OF_KIND: Final[dict[str, tuple[str, ...]]] = {
    "instance": ("cloud", "batch"),
    "region": ("cloud", "batch"),
    "slots": ("cloud", "batch"),
    "round_trip_s": ("cloud",),
    "utilisation": ("cloud",),
    "deadline_s": ("batch",),
    "start_s": ("batch",),
}
# And those without which a kind means nothing.
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "device": (),
    "cloud": ("instance",),
    "batch": ("instance", "deadline_s"),
}
