"""SkyServe and SkyPilot pools."""

from typing import Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, setting

_SPEC = "skypilot-org/skypilot sky/serve/constants.py and service_spec.py 0.14.1"


class SkyServe(Block):
    """SkyServe: requests of the last minute over a target, or a pool's queue length.

    The bounds ``min_replicas`` and ``max_replicas`` are ``fleet.min`` and ``fleet.max``.
    """

    kind: Literal["sky_serve"] = "sky_serve"
    metric: Literal["qps", "queue_length"] = setting(
        "qps",
        "What is followed: requests a second (a service), or jobs waiting (a pool).",
        origin="documented",
        source=_SPEC,
    )
    target_qps_per_replica: Number | None = setting(
        None,
        "Requests a second of one replica.",
        unit="1/s",
        origin="assumed",
        source="the platform has no default and keeps a fixed fleet without it",
        derived="target_utilisation x slots / mean service time",
        gt=0,
    )
    target_utilisation: Share = setting(
        0.7,
        "Share of a replica's capacity that the derived target holds.",
        origin="assumed",
        source="as for the other derived targets",
        gt=0,
    )
    queue_length_threshold: Count = setting(
        1,
        "Jobs waiting above which a pool grows and below which it shrinks.",
        unit="jobs",
        origin="documented",
        source=_SPEC,
        ge=0,
    )
    upscale_delay_s: Seconds = setting(
        300.0,
        "For how long decisions must have asked for more.",
        unit="s",
        origin="documented",
        source=_SPEC,
    )
    downscale_delay_s: Seconds = setting(
        1200.0,
        "For how long decisions must have asked for fewer.",
        unit="s",
        origin="documented",
        source=_SPEC,
    )
    overprovision: Count = setting(
        0,
        "Spare replicas on top of the target, beyond fleet.max (num_overprovision).",
        unit="replicas",
        origin="documented",
        source=_SPEC,
        ge=0,
    )
    qps_window_s: Seconds = setting(
        60.0,
        "Window over which requests are counted.",
        unit="s",
        origin="documented",
        source=_SPEC,
        gt=0,
    )
    decision_interval_s: Seconds = setting(
        20.0, "Period of the decisions.", unit="s", origin="documented", source=_SPEC, ge=0.001
    )
    interval_at_zero_s: Seconds = setting(
        5.0,
        "Period of the decisions while no replica is asked for.",
        unit="s",
        origin="documented",
        source=_SPEC,
        ge=0.001,
    )
    report_interval_s: Seconds = setting(
        20.0,
        "Period at which the load balancer reports its requests.",
        unit="s",
        origin="documented",
        source=_SPEC,
        ge=0.001,
    )
