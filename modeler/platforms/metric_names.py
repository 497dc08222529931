"""What a metric measures, from the name that somebody gave it."""

import re
from typing import Final

# Our names of what a controller can follow, and what names in use look like; the first that
# matches counts. Assumed: names are conventions of exporters (vLLM, DCGM, Istio, ingress).
_PATTERNS: Final = (
    ("gpu_utilisation", r"gpu.*(util|duty)|dcgm_fi_dev_gpu_util"),
    ("queue_length", r"wait|queue|backlog|lag|pending|length|messages_(ready|visible)"),
    (
        "requests_per_second",
        r"per_?second|_rps|^rps|qps|rate\(|request_rate|requests_total|http_?requests",
    ),
    ("concurrency", r"concurren|in_?flight|running|active|ongoing"),
    ("cpu_utilisation", r"cpu"),
)


def measured(name: str) -> str:
    """What a metric of this name probably measures; empty when nothing is recognised.

    >>> measured("vllm:num_requests_waiting"), measured("http_requests_per_second")
    ('queue_length', 'requests_per_second')
    >>> measured("DCGM_FI_DEV_GPU_UTIL"), measured("inference_in_flight"), measured("happiness")
    ('gpu_utilisation', 'concurrency', '')
    """
    lowered = name.lower()
    return next((ours for ours, pattern in _PATTERNS if re.search(pattern, lowered)), "")
