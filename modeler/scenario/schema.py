"""The scenario: everything an analyst may say, frozen once said."""

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo, ValidatorFunctionWrapHandler

from modeler.scenario.checks import conflicts_between
from modeler.scenario.cold_start import ColdStart
from modeler.scenario.fields import (
    UNREAD,
    Block,
    Bytes,
    Count,
    GateText,
    Seconds,
    Share,
    setting,
)
from modeler.scenario.hosting import Hosting, SageMakerRealtime
from modeler.scenario.kinds import KINDS, default_policy
from modeler.scenario.policy import Policy
from modeler.scenario.queue import FromZero, Queue, from_zero, hold_limit
from modeler.scenario.service import Auto, Service
from modeler.scenario.weather import Weather

# A linear model of some hundred inputs. Less is a slip of the unit: 7B is seven bytes, while seven
# billion parameters in 16 bits are 14GB.
SMALLEST_MODEL_BYTES: Final = 1_000


class Model(Block):
    """The weights that a replica has to fetch and hold."""

    size: Bytes = setting(
        14_000_000_000,
        "Size of the weights.",
        unit="bytes",
        origin="assumed",
        source="7 billion parameters in 16 bits",
        gt=0,
    )
    dtype: Literal["fp32", "bf16", "fp16", "fp8", "int8", "int4"] = setting(
        "fp16",
        "Precision of the weights: 4, 2, 2, 1, 1 or 0.5 bytes a parameter.",
        origin="assumed",
        source="the precision most weights are published in",
    )

    @field_validator("size")
    @classmethod
    def _no_slip_of_the_unit(cls, size: int) -> int:
        if size < SMALLEST_MODEL_BYTES:
            raise PydanticCustomError(
                "quantity",
                "{message}",
                {
                    "message": f"{size} bytes are no model; {size} billion parameters in 16 bits "
                    f"are {2 * size}GB",
                    "expected": f"at least {SMALLEST_MODEL_BYTES} bytes",
                },
            )
        return size


class Fleet(Block):
    """How many replicas there may be, and what one of them takes."""

    min: Count = setting(1, "Fewest replicas.", origin="assumed", source="one always warm", ge=0)
    max: Count = setting(
        20, "Most replicas.", origin="assumed", source="room for the peaks of the sample", ge=1
    )
    initial: Count | None = setting(
        None,
        "Replicas ready when the trace starts.",
        origin="assumed",
        source="an idle start",
        derived="fleet.min",
        ge=0,
    )
    slots: Count | None = setting(
        None,
        "Requests a replica serves at once.",
        origin="assumed",
        source="a small batch for token traffic, one worker otherwise",
        derived="8 for token traffic, else 1",
        ge=1,
    )
    router: Literal["central", "least_outstanding", "round_robin", "random"] = setting(
        "central",
        "Where a request waits: in one queue before all replicas, or at the one it was sent to.",
        origin="assumed",
        source="the kindest router; a platform's own is random on SageMaker (RANDOM or "
        "LEAST_OUTSTANDING_REQUESTS, API reference) and behind a Kubernetes Service, round_robin "
        "on an Application Load Balancer",
    )
    tail_s: Seconds = setting(
        0.0,
        "How long clock and bill go on after the trace, without traffic: for a scale-in tail.",
        unit="s",
        origin="assumed",
        source="traffic that goes on after the trace",
    )


class Sla(Block):
    """What counts as good enough."""

    threshold_s: Seconds | None = setting(
        None,
        "Longest acceptable time of a request.",
        unit="s",
        origin="assumed",
        source="a reader waits longer for a generated text than for a prediction",
        derived="10 for token traffic, else 2",
        gt=0,
    )
    metric: Literal["latency", "first_token"] = setting(
        "latency",
        "Time that is held against the threshold: to the end, or to the first token.",
        origin="assumed",
        source="the whole answer is what a client waits for",
    )
    max_violation_share: Share = setting(
        0.005,
        "Share of requests that may miss it.",
        origin="assumed",
        source="99.5 percent, a usual objective",
    )


class Scenario(Block):
    """One question: traffic, model, hosting, fleet, policy and service level.

    Every key has this one name in files, ``--set``, JSON and documents. A scenario never
    changes; `modeler.scenario.with_values` makes another.

    Raises
    ------
    pydantic.ValidationError
        When built directly; `load` and `with_values` raise `ScenarioError` instead.
    """

    name: str = setting("scenario", "What to call it.", min_length=1)
    seed: Count = setting(0, "Seed of every draw.", ge=0, le=2**63 - 1)
    trace: str = setting(
        "office-week",
        "Traffic: the name of a sample, or a file relative to the scenario.",
        origin="assumed",
        source="the embedded sample",
        min_length=1,
    )
    model: Model = Field(default_factory=Model)
    hosting: Hosting = Field(default_factory=SageMakerRealtime)
    fleet: Fleet = Field(default_factory=Fleet)
    queue: Queue = Field(default_factory=Queue)
    service: Service = Field(default_factory=Auto)
    cold_start: ColdStart = Field(default_factory=ColdStart)
    # None stands for the platform's own, which the validator below puts in.
    policy: Policy = Field(default=cast("Any", None), validate_default=True)
    policies: tuple[Policy, ...] = setting(
        (),
        "Several policies on one target, instead of policy; each as one.",
        derived="the one policy",
    )
    sla: Sla = Field(default_factory=Sla)
    weather: tuple[Weather, ...] = setting(
        (), "Bad weather: blocks of what the provider does to the fleet.", derived="fair weather"
    )
    token_api: str | None = setting(
        None,
        "An API billed by the token to price the same traffic at: a name of modeler price "
        "token_api, or dollars per million prompt and output tokens, such as 0.15/0.60.",
        derived="no comparison",
        min_length=1,
    )
    gates: tuple[GateText, ...] = setting(
        (),
        "Conditions that the result has to keep: exit code 3 where it does not.",
        derived="no condition",
    )
    sweep: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict, description="Settings to vary, by their path."
    )

    @field_validator("policy", mode="wrap")
    @classmethod
    def _of_the_platform(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        hosting = info.data.get("hosting")
        own = default_policy(hosting.kind if hosting else "")
        if value is None:
            return KINDS["policy"][own]()
        if not isinstance(value, Mapping) or "kind" in value:
            return handler(value)
        block = handler({**value, "kind": own})
        block.model_fields_set.discard("kind")  # still the platform's, not the analyst's
        return block

    @model_validator(mode="after")
    def _hold_together(self, info: ValidationInfo) -> "Scenario":
        unread = (info.context or {}).get(UNREAD, ())
        blocks = {name: getattr(self, name) for name in CHECKED if name not in unread}
        conflicts = conflicts_between({**blocks, "said": frozenset(self.model_fields_set)})
        if conflicts:
            raise PydanticCustomError(
                "conflict",
                "{message}",
                {"message": "; ".join(c.message for c in conflicts), "conflicts": conflicts},
            )
        return self

    @model_serializer(mode="wrap")
    def _one_or_several(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        for name in (*LISTS, "gates"):
            if not getattr(self, name):
                data.pop(name, None)
        if self.policies:
            data.pop("policy", None)
        if self.token_api is None:
            data.pop("token_api", None)
        return data

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @property
    def initial_replicas(self) -> int:
        """Replicas ready at the start."""
        return self.fleet.min if self.fleet.initial is None else self.fleet.initial

    @property
    def in_force(self) -> tuple[Policy, ...]:
        """The policies that act on the fleet: ``policies`` where given, else the one ``policy``."""
        return self.policies or (self.policy,)

    @property
    def release_s(self) -> float:
        """Time on the bill after a replica left service, the platform's where none is set. [s]"""
        own = self.hosting.release_s
        return self.hosting.platform.release_s if own is None else own

    @property
    def queue_timeout_s(self) -> float:
        """Longest wait in force, the platform's where none is set; infinite for none. [s]"""
        own = self.queue.queue_timeout_s
        return self.hosting.platform.queue_timeout_s if own is None else own

    @property
    def from_zero(self) -> FromZero:
        """What an arrival meets while no replica is there, the platform's where none is set."""
        own = self.queue.from_zero
        return from_zero(self.hosting, self.in_force) if own is None else own

    @property
    def hold_limit(self) -> int | None:
        """Requests an activator keeps, the platform's where none is set; None for any number."""
        own = self.queue.hold_limit
        return own if own is not None else hold_limit(self.in_force)

    @property
    def client_timeout_s(self) -> float:
        """Client timeout in force, the platform's where none is set; infinite for none. [s]"""
        asked = self.queue.client_timeout_s
        if asked is None:
            return self.hosting.platform.client_timeout_s
        return math.inf if asked == "none" else asked


# Blocks that checks look across, and lists of blocks.
BLOCKS: Final = (
    "model", "hosting", "fleet", "queue", "service", "cold_start", "policy", "sla"
)  # fmt: skip
LISTS: Final = ("policies", "weather")
CHECKED: Final = (*BLOCKS, *LISTS)
