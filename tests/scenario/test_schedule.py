"""Schedules of AWS: what fires when, in UTC, through the changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from modeler.scenario.policy.schedule import ScheduleError, check, firings, moment


def times(
    schedule: str, first: str, days: float = 1.0, zone: str = "UTC", **bounds: str
) -> list[str]:
    begin = moment(first)
    limits = {name: moment(text) for name, text in bounds.items()}
    found = firings(schedule, zone, begin, begin + timedelta(days=days), **limits)
    return [at.strftime("%m-%d %H:%M") for at in found]


def test_at_is_one_instant_of_its_zone_to_the_minute():
    assert times("at(2026-03-02T08:15:40)", "2026-03-02") == ["03-02 08:15"]
    assert times("at(2026-03-02T08:15:00)", "2026-03-02", zone="Asia/Tokyo") == []
    assert times("at(2026-03-02T08:15:00)", "2026-03-01", zone="Asia/Tokyo", days=2) == [
        "03-01 23:15"
    ]


def test_a_rate_counts_from_its_start_or_from_the_trace():
    assert times("rate(8 hours)", "2026-03-02") == ["03-02 08:00", "03-02 16:00", "03-03 00:00"]
    begun = {"begins": "2026-03-01T22:00:00", "ends": "2026-03-02T15:00:00"}
    assert times("rate(8 hours)", "2026-03-02", **begun) == ["03-02 06:00", "03-02 14:00"]
    assert times("rate(1 day)", "2026-03-02", begins="2026-03-02T03:00:00") == ["03-02 03:00"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 8 ? * MON-FRI *)", ["03-02 08:00", "03-03 08:00", "03-04 08:00"]),
        ("cron(0 8 ? * 2-6 *)", ["03-02 08:00", "03-03 08:00", "03-04 08:00"]),
        ("cron(30 */12 2 3 ? 2026)", ["03-02 00:30", "03-02 12:30"]),
        ("cron(15,45 6 3-4 MAR ? *)", ["03-03 06:15", "03-03 06:45", "03-04 06:15", "03-04 06:45"]),
        ("cron(0 0/9 ? * TUE *)", ["03-03 00:00", "03-03 09:00", "03-03 18:00"]),
        ("cron(0 10 ? * MON#1 *)", ["03-02 10:00"]),
        ("cron(0 10 ? * MON#2 *)", []),
        ("0 8 * * 1", ["03-02 08:00"]),  # an EC2 group's recurrence: Monday is 1
        ("0 8 4 * 1", ["03-02 08:00", "03-04 08:00"]),  # either day
    ],
)
def test_cron(expression, expected):
    # 2 March 2026 is a Monday.
    assert times(expression, "2026-03-02", days=2.99) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 0 L * ? *)", ["01-31 00:00", "02-28 00:00"]),
        ("cron(0 0 LW * ? *)", ["01-30 00:00", "02-27 00:00"]),
        ("cron(0 0 15W * ? *)", ["01-15 00:00", "02-16 00:00"]),  # 15 February is a Sunday
        ("cron(0 0 1W * ? *)", ["01-01 00:00", "02-02 00:00"]),
        ("cron(0 0 ? * 6L *)", ["01-30 00:00", "02-27 00:00"]),
        ("cron(0 0 ? * FRI#5 *)", ["01-30 00:00"]),
        ("cron(0 0 ? * L *)", ["01-03 00:00", "01-10 00:00", "01-17 00:00", "01-24 00:00",
                               "01-31 00:00", "02-07 00:00", "02-14 00:00", "02-21 00:00",
                               "02-28 00:00"]),
        ("cron(0 0 29 2 ? *)", []),
    ],
)  # fmt: skip
def test_special_days_of_two_months(expression, expected):
    assert times(expression, "2026-01-01", days=58.9) == expected


def test_the_clock_that_is_put_forward_skips_and_the_one_put_back_runs_once():
    zone = "Europe/Berlin"
    # On 29 March 2026 the hour from 02:00 to 03:00 is missing; on 25 October it comes twice.
    assert times("cron(30 2 ? * * *)", "2026-03-28", days=3, zone=zone) == [
        "03-28 01:30",
        "03-30 00:30",
    ]
    assert times("cron(30 2 ? * * *)", "2026-10-24", days=3, zone=zone) == [
        "10-24 00:30",
        "10-25 00:30",
        "10-26 01:30",
    ]
    # Eight in the morning moves by an hour against UTC.
    assert times("cron(0 8 ? * * *)", "2026-03-28", days=3, zone=zone) == [
        "03-28 07:00",
        "03-29 06:00",
        "03-30 06:00",
    ]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("cron(0 0 30 2 ? *)", "never fires"),
        ("cron(0 0 ? 2 MON#5 2026)", "never fires"),
        ("cron(0 8 * * * *)", "exactly one of day-of-month and day-of-week must be ?"),
        ("cron(0 8 ? * ? *)", "exactly one"),
        ("cron(60 8 ? * * *)", 'minute "60": expected 0 to 59'),
        ("cron(0 25 ? * * *)", 'hour "25": expected 0 to 23'),
        ("cron(0 8 ? 13 * *)", "expected 1 to 12 or JAN to DEC"),
        ("cron(0 8 ? * 8 *)", "expected 1 to 7 or SUN to SAT"),
        ("cron(0 8 ? * FRI#6 *)", "FRI#2"),
        ("cron(0 8 40W * ? *)", "1W to 31W"),
        ("cron(0 8 ? * *)", None),
        ("rate(0 minutes)", "no rate"),
        ("rate(5 weeks)", "no rate"),
        ("at(tomorrow)", "no time"),
        ("every day", "no schedule"),
    ],
)
def test_what_cannot_be_read_or_never_fires_is_said(expression, said):
    if said is None:  # five fields, as crontab counts them
        with pytest.raises(ScheduleError):
            check(expression.replace("?", "!"))
        return
    with pytest.raises(ScheduleError) as caught:
        check(expression)
    assert said in str(caught.value)


def test_an_unknown_zone_is_said():
    with pytest.raises(ScheduleError, match="unknown time zone"):
        check("rate(1 day)", "Europe/Berlinn")
    assert moment("2026-07-01T08:00", "Europe/Berlin") == datetime(2026, 7, 1, 6, tzinfo=UTC)
