"""Ray Serve."""

from typing import Literal

from modeler.scenario.fields import Block, Number, Seconds, setting

_CONFIG = "ray-project/ray python/ray/serve/config.py, AutoscalingConfig, read 2026-09"


class RayServe(Block):
    """Ray Serve: requests in hand over a target, carried out after long agreement.

    The bounds ``min_replicas`` and ``max_replicas`` are ``fleet.min`` and ``fleet.max``;
    ``num_replicas="auto"`` stands for 1 and 100, with the defaults below.
    """

    kind: Literal["ray_serve"] = "ray_serve"
    target_ongoing_requests: Number = setting(
        2.0,
        "Requests in hand, running and queued, for one replica.",
        unit="requests",
        origin="documented",
        source=_CONFIG,
        gt=0,
    )
    upscale_delay_s: Seconds = setting(
        30.0,
        "For how long more replicas must have been asked for.",
        unit="s",
        origin="documented",
        source=_CONFIG,
    )
    downscale_delay_s: Seconds = setting(
        600.0,
        "For how long fewer replicas must have been asked for.",
        unit="s",
        origin="documented",
        source=_CONFIG,
    )
    downscale_to_zero_delay_s: Seconds | None = setting(
        None,
        "The same from one replica to none.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        derived="downscale_delay_s",
    )
    upscaling_factor: Number = setting(
        1.0, "Gain on the way up.", origin="documented", source=_CONFIG, gt=0
    )
    downscaling_factor: Number = setting(
        1.0, "Gain on the way down.", origin="documented", source=_CONFIG, gt=0
    )
    look_back_period_s: Seconds = setting(
        30.0,
        "Window that requests in hand are averaged over.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        gt=0,
    )
    metrics_interval_s: Seconds = setting(
        10.0,
        "Period at which handles push their requests in hand.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        gt=0,
    )
    control_loop_s: Seconds = setting(
        0.1,
        "Period of the controller's loop.",
        unit="s",
        origin="documented",
        source="ray-project/ray python/ray/serve/_private/constants.py, CONTROL_LOOP_INTERVAL_S",
        gt=0,
    )
