"""How a machine's life becomes billed seconds, and billed seconds dollars.

Linux on EC2 is billed per second while ``running``, at least 60 seconds for each start
(EC2 API reference, StartInstances). SageMaker hosting is billed per second for as long as the
instance is up, with or without traffic (SageMaker pricing; the meter's start is a setting of the
scenario, for no public page states it). Both bill the whole life, scale-in tail included. Fargate
bills from the start of the image's download, at least a minute (AWS Fargate pricing).
"""

import math
from decimal import ROUND_CEILING, Decimal

from pricing.errors import InvalidArgument

SECONDS_PER_HOUR = 3600

# Seconds at least billed for each start of an instance. [s]
MINIMUM_S = {"ec2": 60, "sagemaker": 0, "cloud_run": 0, "fargate": 60}
# What is begun counts whole; Cloud Run counts in tenths (Cloud Run documentation, pricing). [s]
STEP_S = {
    "ec2": Decimal(1),
    "sagemaker": Decimal(1),
    "cloud_run": Decimal("0.1"),
    "fargate": Decimal(1),
}


def billed_seconds(life_s: float, service: str) -> float:
    """Seconds on the bill for one instance's life.

    Parameters
    ----------
    life_s : float. Time the instance was up and chargeable; 0 for one that never ran. [s]
    service : str. ``ec2``, ``sagemaker``, ``cloud_run`` or ``fargate``.

    Returns
    -------
    float
        Whole seconds, tenths on Cloud Run, never fewer than `life_s`. [s]

    Raises
    ------
    InvalidArgument
        A negative or unbounded life, or another service.

    Notes
    -----
    A begun second counts as one, on Cloud Run a begun tenth: ``max(ceil(life_s), minimum)``.

    >>> billed_seconds(12.0, "ec2"), billed_seconds(61.2, "ec2"), billed_seconds(0.0, "ec2")
    (60.0, 62.0, 0.0)
    >>> billed_seconds(12.0, "sagemaker")
    12.0
    """
    if service not in MINIMUM_S:
        raise InvalidArgument("service", service, f"one of {', '.join(sorted(MINIMUM_S))}")
    if not (math.isfinite(life_s) and life_s >= 0):
        raise InvalidArgument("life_s", life_s, "a finite number of seconds, 0 or more")
    if life_s == 0:
        return 0.0
    return max(rounded_up(life_s, STEP_S[service]), float(MINIMUM_S[service]))


def rounded_up(amount: float, step: Decimal) -> float:
    """The least multiple of a step that is no less than an amount.

    Parameters
    ----------
    amount : float. Finite. Taken as the shortest decimal that names it: 1.1 s are eleven tenths,
        which ten times the binary fraction is not.
    step : Decimal. Above 0.

    >>> rounded_up(1.1, Decimal("0.1")), rounded_up(1.1000001, Decimal("0.1"))
    (1.1, 1.2)
    """
    steps = (Decimal(repr(float(amount))) / step).to_integral_value(ROUND_CEILING)
    return float(steps * step)


def cost_usd(billed_s: float, usd_per_hour: Decimal | float) -> float:
    """Dollars for billed seconds at an hourly price.

    Parameters
    ----------
    billed_s : float. Seconds on the bill. [s]
    usd_per_hour : Decimal or float. Unit price. [USD/h]

    Returns
    -------
    float
        Not rounded to cents: lines are summed first. [USD]

    >>> cost_usd(7200, Decimal("1.515"))
    3.03
    >>> cost_usd(billed_seconds(12, "ec2"), 1.212)  # a minute of an hour at 1.212
    0.0202
    """
    return billed_s * float(usd_per_hour) / SECONDS_PER_HOUR
