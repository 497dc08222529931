"""How long a request keeps its slot."""

from typing import Annotated, Literal

from pydantic import Tag

from modeler.scenario.fields import Block, Number, Seconds, Share, by_kind, setting


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
    | Annotated[FromTrace, Tag("trace")]
    | Annotated[FixedService, Tag("fixed")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Empirical, Tag("empirical")],
    by_kind("auto"),
]
