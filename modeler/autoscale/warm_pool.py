"""Warm pools of EC2 Auto Scaling: how many prepared instances stand beside the group."""

from __future__ import annotations

from modeler.compiled import kernel


@kernel()
def warm_pool_size(desired, maximum, prepared, least):  # type: ignore[no-untyped-def]
    """Instances in the warm pool: ``max(least, (prepared or maximum) - desired)``. [instances]

    Parameters
    ----------
    desired, maximum : float. Desired capacity and maximum of the group. [instances]
    prepared : float. ``MaxGroupPreparedCapacity``: group and pool together; negative when it is
        not set, which takes the group's maximum. [instances]
    least : float. ``MinSize`` of the pool. [instances]

    Source: autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html, read 2026-09.
    """
    together = maximum if prepared < 0.0 else prepared
    return max(max(least, together - desired), 0.0)
