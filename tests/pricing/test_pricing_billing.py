"""Billing rules against their closed forms, and as laws."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import InvalidArgument, billed_seconds, cost_usd

LIVES = st.floats(min_value=0, max_value=1e9)
SERVICES = st.sampled_from(["ec2", "sagemaker"])


@pytest.mark.parametrize(
    ("life_s", "ec2", "sagemaker"),
    [
        (0.0, 0.0, 0.0),
        (0.001, 60.0, 1.0),
        (59.0, 60.0, 59.0),
        (60.0, 60.0, 60.0),
        (60.5, 61.0, 61.0),
        (3600.0, 3600.0, 3600.0),
    ],
)
def test_seconds_on_the_bill(life_s, ec2, sagemaker):
    # EC2: per second, 60 s at least for each start. SageMaker hosting: per second.
    assert billed_seconds(life_s, "ec2") == ec2
    assert billed_seconds(life_s, "sagemaker") == sagemaker


@pytest.mark.parametrize("tenths", [1, 3, 11, 12, 29, 113, 657, 4099, 86_399])
def test_cloud_run_counts_in_tenths(tenths):
    """Eleven tenths are 1.1 s on the bill, and what is begun beyond them is the twelfth."""
    life_s = tenths / 10.0
    assert billed_seconds(life_s, "cloud_run") == life_s
    assert billed_seconds(life_s + 1e-6, "cloud_run") == (tenths + 1) / 10.0


@given(st.integers(1, 10**9), st.sampled_from(["ec2", "sagemaker", "cloud_run"]))
def test_whole_steps_are_billed_as_they_are(steps, service):
    step = {"ec2": 1, "sagemaker": 1, "cloud_run": 10}[service]
    life_s = steps / step
    least = 60.0 if service == "ec2" else 0.0
    assert billed_seconds(life_s, service) == max(life_s, least)


@given(LIVES, SERVICES)
def test_never_fewer_than_lived_and_at_most_a_second_or_the_minimum_more(life_s, service):
    billed = billed_seconds(life_s, service)
    assert billed >= life_s
    assert billed == int(billed)
    # <= for a life too short for a float to tell it from nothing once a second is added
    assert billed <= life_s + 1 or (service == "ec2" and billed == 60)


@given(LIVES, LIVES, SERVICES)
def test_a_longer_life_never_costs_less(one, other, service):
    short, long = sorted((one, other))
    assert billed_seconds(short, service) <= billed_seconds(long, service)


@given(st.lists(LIVES, min_size=1, max_size=8))
def test_two_lives_never_cost_less_than_one_as_long(lives):
    # Each start has its own minimum and its own begun second.
    assert sum(billed_seconds(life, "ec2") for life in lives) >= sum(lives) * (1 - 1e-12)


@pytest.mark.parametrize("life_s", [-1.0, math.nan, math.inf])
def test_a_life_that_is_none(life_s):
    with pytest.raises(InvalidArgument, match="life_s"):
        billed_seconds(life_s, "ec2")


def test_a_service_without_rules():
    with pytest.raises(InvalidArgument, match="cloud_run, ec2, fargate, sagemaker"):
        billed_seconds(1.0, "lambda")


def test_dollars():
    # A published worked example: 5 minutes of ml.g6.xlarge in Paris come to 0.12 USD, so about
    # 1.43 an hour.
    assert cost_usd(300, 1.43) == pytest.approx(0.12, abs=0.005)
    assert cost_usd(3600, Decimal("1.515")) == 1.515
    assert cost_usd(0, Decimal("1.515")) == 0
