"""What the loop calls where nothing lies beneath the replicas; `ground` is the other."""

from __future__ import annotations

from modeler.compiled import entry, kernel
from modeler.replay import layout as m


@kernel(m.BENEATH_SIGNATURE)
def _nothing(operation, subject, now, arrived, w):  # type: ignore[no-untyped-def]
    """Nothing lies beneath the replicas."""
    return 0


nothing = entry(m.BENEATH_SIGNATURE, _nothing)
