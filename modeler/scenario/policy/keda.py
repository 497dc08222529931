"""KEDA: activation of its own, and a horizontal pod autoscaler that it generates."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from modeler.scenario.fields import SOME, Count, Number, Seconds, setting
from modeler.scenario.policy.kubernetes import Controller, Measured, refused

_KEDA = "keda.sh, ScaledObject specification, read 2026-09"


class KedaTrigger(Measured):
    """One trigger of a ScaledObject."""

    metric: Literal[
        "queue_length", "concurrency", "requests_per_second", "gpu_utilisation", "cpu_utilisation"
    ] = setting(
        "concurrency",
        "What is measured, of the whole fleet: requests waiting, in flight and waiting, arrivals a "
        "second, busy slots in percent of one replica's; or the CPU, which never activates.",
        origin="assumed",
        source="a queue scaler that counts messages in flight as well, as most can",
    )
    metric_type: Literal["average_value", "value", "utilisation"] | None = setting(
        None,
        "How the target is meant: per replica, or of the whole.",
        origin="documented",
        source="keda.sh, scaling deployments, triggers, read 2026-09",
        derived="utilisation for cpu_utilisation, else average_value",
    )
    activation_target: Number = setting(
        0.0,
        "What the metric must exceed to leave idle, strictly.",
        origin="documented",
        source="keda.sh, activating and scaling thresholds, read 2026-09",
        ge=0,
    )
    use_cached_metrics: bool = setting(
        False,
        "Whether the HPA gets the value of the last poll instead of a fresh one.",
        origin="documented",
        source=_KEDA,
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        cpu = self.metric == "cpu_utilisation"
        types = ("utilisation", "average_value") if cpu else ("average_value", "value")
        if self.metric_type is not None and self.metric_type not in types:
            raise refused(
                f"metric_type {self.metric_type} of {self.metric}: expected one of "
                f"{', '.join(types)}",
                f"one of {', '.join(types)}",
            )
        if self.metric == "requests_per_second" and self.window_s == 0:
            raise refused("window_s 0 of a rate: expected more than 0", "more than 0")
        return self


class Keda(Controller, KedaTrigger):
    """KEDA ScaledObject: idle to the first replicas itself, beyond that through an HPA."""

    kind: Literal["keda"] = "keda"
    triggers: Annotated[tuple[KedaTrigger, ...], SOME] | None = setting(
        None,
        "Several triggers: any of them activates, the largest proposal counts.",
        origin="documented",
        source=_KEDA,
        derived="the one trigger of the block",
    )
    polling_interval_s: Seconds = setting(
        30.0,
        "Time between two looks at whether a trigger is active.",
        unit="s",
        origin="documented",
        source=_KEDA,
        gt=0,
    )
    cooldown_s: Seconds = setting(
        300.0,
        "Time after the last active poll before going idle.",
        unit="s",
        origin="documented",
        source=_KEDA,
    )
    initial_cooldown_s: Seconds = setting(
        0.0,
        "Time after the start before going idle for the first time.",
        unit="s",
        origin="documented",
        source=_KEDA,
    )
    idle_replicas: Count | None = setting(
        None,
        "Replicas without an active trigger, less than fleet.min.",
        origin="documented",
        source=_KEDA,
        derived="fleet.min",
        ge=0,
    )
    fallback_replicas: Count | None = setting(
        None,
        "Replicas while metrics cannot be read.",
        origin="documented",
        source=_KEDA,
        derived="no fallback",
        ge=0,
    )
    fallback_behavior: Literal[
        "static", "current_replicas", "current_replicas_if_higher", "current_replicas_if_lower"
    ] = setting(
        "static",
        "What a fallback lands on: its replicas, the current ones, or the larger or smaller.",
        origin="documented",
        source=_KEDA,
    )
    failure_threshold: Count = setting(
        3,
        "Failed reads in a row that a fallback waits for.",
        origin="assumed",
        source="the value of KEDA's own examples; it has no default",
        ge=0,
    )
    pause_scale_in: bool = setting(
        False, "The annotation that blocks removals.", origin="documented", source=_KEDA
    )
    pause_scale_out: bool = setting(
        False, "The annotation that blocks additions.", origin="documented", source=_KEDA
    )
    paused: bool = setting(
        False, "The annotation that stops all scaling.", origin="documented", source=_KEDA
    )
    paused_replicas: Count | None = setting(
        None,
        "The annotation that stops all scaling at so many replicas.",
        origin="documented",
        source=_KEDA,
        derived="not paused",
        ge=0,
    )
    force_activation: bool = setting(
        False,
        "The annotation that counts the triggers as active.",
        origin="documented",
        source=_KEDA,
    )

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        alone = sorted(KedaTrigger.model_fields.keys() & self.model_fields_set)
        if self.triggers is not None and alone:
            raise refused(
                f"{alone[0]} beside triggers: write it in the entry of the list it belongs to",
                "triggers or the keys of one trigger",
            )
        return self

    @property
    def all_triggers(self) -> tuple[KedaTrigger, ...]:
        """The list, or the one trigger of the block."""
        return (self,) if self.triggers is None else self.triggers
