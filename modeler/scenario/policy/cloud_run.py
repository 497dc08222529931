"""Google Cloud Run."""

from typing import Literal

from modeler.scenario.fields import Block, Number, Seconds, Share, setting

_DOCS = "cloud.google.com/run/docs/about-instance-autoscaling, read 2026-09"


class CloudRun(Block):
    """Cloud Run: concurrency and CPU over a minute, instances on demand, idle ones kept.

    Minimum and maximum instances are ``fleet.min`` and ``fleet.max``, the maximum concurrency of
    an instance is ``fleet.slots``.
    """

    kind: Literal["cloud_run"] = "cloud_run"
    concurrency_target: Share = setting(
        0.6,
        "Share of an instance's maximum concurrency to hold.",
        origin="documented",
        source=_DOCS,
        gt=0,
        le=1,
    )
    cpu_target: Share = setting(
        0.6,
        "Share of an instance's CPU to hold.",
        origin="documented",
        source=_DOCS,
        gt=0,
        le=1,
    )
    cpu_per_request: Number = setting(
        0.0,
        "Cores that one request in service keeps busy; 0 leaves CPU out.",
        unit="cores",
        origin="assumed",
        source="the accelerator does the work",
        ge=0,
    )
    window_s: Seconds = setting(
        60.0, "Window of the averages.", unit="s", origin="documented", source=_DOCS, gt=0
    )
    decision_period_s: Seconds = setting(
        5.0,
        "Period of the decisions.",
        unit="s",
        origin="assumed",
        source="the vendor gives no number",
        gt=0,
    )
    idle_s: Seconds | None = setting(
        None,
        "For how long an instance that is not in use is kept.",
        unit="s",
        origin="documented",
        source=f"{_DOCS}: at most 15 minutes, 10 with a GPU",
        derived="600 where hosting.gpu is one, else 900",
        gt=0,
    )
