"""How long a request takes: the roofline of token models, one-pass models, measured profiles.

Where to read first: `roofline.py` (prefill and decoding steps), then `steady.py` (batches) and
`one_pass.py`.
"""

from modeler.predict.latency.constants import latency_constants
from modeler.predict.latency.one_pass import Pass, call_s, encoder, example_s, network
from modeler.predict.latency.profile import Profile, ProfileError, read_profile
from modeler.predict.latency.roofline import Group, NotCovered, TokenModel
from modeler.predict.latency.steady import (
    Loaded,
    at_concurrency,
    full_batch,
    full_throughput,
    static_batch_s,
)

__all__ = [
    "Group",
    "Loaded",
    "NotCovered",
    "Pass",
    "Profile",
    "ProfileError",
    "TokenModel",
    "at_concurrency",
    "call_s",
    "encoder",
    "example_s",
    "full_batch",
    "full_throughput",
    "latency_constants",
    "network",
    "read_profile",
    "static_batch_s",
]
