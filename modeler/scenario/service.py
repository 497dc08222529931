"""How long a request keeps its slot."""

from typing import Annotated, Literal

from pydantic import Tag

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, by_kind, setting


class Auto(Block):
    """By what the trace holds: its service times, else tokens, else exponential."""

    kind: Literal["auto"] = setting(
        "auto",
        "How service times are found.",
        origin="assumed",
        source="the trace's service_s, else by its tokens, else exponential with mean 0.2 s",
    )


class Tokens(Block):
    """Prefill at a share of the peak arithmetic, decoding at a share of the memory bandwidth."""

    kind: Literal["tokens"] = "tokens"
    prefill_efficiency: Share = setting(
        0.5,
        "Share of the accelerator's dense peak that prefill reaches.",
        origin="assumed",
        source="a round figure for batched prefill; replace it by a measurement",
        gt=0,
    )
    bandwidth_efficiency: Share = setting(
        0.75,
        "Share of the accelerator's memory bandwidth that decoding reaches.",
        origin="assumed",
        source="a round figure for weight-bound decoding; replace it by a measurement",
        gt=0,
    )
    step_overhead_s: Seconds = setting(
        0.002,
        "Overhead of each decoding step.",
        unit="s",
        origin="assumed",
        source="a round figure for kernel launches and scheduling",
    )


class Batched(Block):
    """Continuous batching: a replica's steps take longer the more sequences are in flight."""

    kind: Literal["batched"] = "batched"
    architecture: str | None = setting(
        None,
        "Published model, as Llama-3.1-8B, or a config.json, relative to the scenario: layers, "
        "heads and experts.",
        min_length=1,
        origin="assumed",
        source="layers, width and heads between those of Llama 3.1 8B and 70B, by parameters",
        derived="a dense decoder of the model's size",
    )
    profile: str | None = setting(
        None,
        "CSV of measured seconds between two tokens by concurrency, relative to the scenario, in "
        "place of the predicted decoding step; continued to twice its last row and no farther.",
        min_length=1,
        derived="the predicted step",
    )
    cache_dtype: Literal["fp16", "fp8"] = setting(
        "fp16",
        "Precision of keys and values.",
        origin="assumed",
        source="the engines' default, that of the activations",
    )
    batched_tokens: Count | None = setting(
        None,
        "Tokens of one step at most: one for each sequence that decodes, and prompt tokens.",
        unit="tokens",
        origin="documented",
        source="vLLM arg_utils, max_num_batched_tokens of an online server, read 2026-11",
        derived="8192 on a device of 70 GiB or more, else 2048",
        ge=1,
    )
    prefill: Literal["mixed", "alone"] = setting(
        "mixed",
        "Whether prompts pass through in steps that decode as well, or decoding waits for them.",
        origin="documented",
        source="chunked prefill is on by default in vLLM V1, read 2026-11",
    )
    prefill_efficiency: Share = setting(
        0.5,
        "Share of the dense peak that prompts reach.",
        origin="observed",
        source="46 published points within a median of 12 %; predict/latency/constants.csv",
        gt=0,
    )
    decode_efficiency: Share = setting(
        0.5,
        "Share of the dense peak that large decoding batches reach.",
        origin="assumed",
        source="predict/latency/constants.csv",
        gt=0,
    )
    bandwidth_efficiency: Share = setting(
        0.75,
        "Share of the memory bandwidth that decoding reaches.",
        origin="observed",
        source="end to end 0.5 to 0.75, matrix products 0.66 to 0.80; predict/latency/"
        "constants.csv",
        gt=0,
    )
    step_overhead_s: Seconds = setting(
        0.002,
        "The engine's own time in each step.",
        unit="s",
        origin="observed",
        source="1 to 3 ms in current servers; predict/latency/constants.csv",
    )


class Dynamic(Block):
    """Dynamic batching: a free replica takes what waits, or waits for more to come."""

    kind: Literal["dynamic"] = "dynamic"
    max_batch: Count = setting(..., "Requests in a batch at most.", unit="requests", ge=1, le=4096)
    max_delay_s: Seconds = setting(
        0.0,
        "How long the first of a batch may wait for more to come.",
        unit="s",
        origin="documented",
        source="Triton model configuration, max_queue_delay_microseconds, 0 by default, read "
        "2026-11; TorchServe's maxBatchDelay is 0.1 s",
    )
    profile: str | None = setting(
        None,
        "CSV of measured seconds by batch, relative to the scenario; continued to twice its last "
        "row and no farther.",
        min_length=1,
        derived="network, or fixed_s and per_item_s",
    )
    network: str | None = setting(
        None,
        "Network of one pass whose seconds the rule predicts on the instance's accelerator, as "
        "resnet50.",
        min_length=1,
        derived="profile, or fixed_s and per_item_s",
    )
    fixed_s: Seconds | None = setting(
        None, "A batch, whatever is in it.", unit="s", derived="0 with a per_item_s"
    )
    per_item_s: Seconds | None = setting(
        None,
        "Each request of a batch.",
        unit="s",
        derived="profile or network",
        gt=0,
    )


class FromTrace(Block):
    """The trace's own ``service_s``, the same for every model size."""

    kind: Literal["trace"] = "trace"


class FixedService(Block):
    """Every request takes the same time."""

    kind: Literal["fixed"] = "fixed"
    mean_s: Seconds = setting(..., "Service time.", unit="s", gt=0)


class Exponential(Block):
    """Exponential service times."""

    kind: Literal["exponential"] = "exponential"
    mean_s: Seconds = setting(..., "Mean service time.", unit="s", gt=0)


class Lognormal(Block):
    """Lognormal service times."""

    kind: Literal["lognormal"] = "lognormal"
    mean_s: Seconds = setting(..., "Mean service time.", unit="s", gt=0)
    cv: Number = setting(..., "Standard deviation over mean.", ge=0)


class Empirical(Block):
    """Service times drawn with replacement from a file of measured ones."""

    kind: Literal["empirical"] = "empirical"
    file: str = setting(
        ..., "File with one service time a line, relative to the scenario. [s]", min_length=1
    )


Service = Annotated[
    Annotated[Auto, Tag("auto")]
    | Annotated[Tokens, Tag("tokens")]
    | Annotated[Batched, Tag("batched")]
    | Annotated[Dynamic, Tag("dynamic")]
    | Annotated[FromTrace, Tag("trace")]
    | Annotated[FixedService, Tag("fixed")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Empirical, Tag("empirical")],
    by_kind("auto"),
]
