"""The sentence of an incident, on rows that say one thing each."""

from __future__ import annotations

from typing import Any

import pytest

from modeler.replay.layout import CAUSES
from modeler.study.incident_words import advice

META = {
    "replicates": 0,
    "sla": {"metric": "finish", "threshold_s": 10.0},
    "replayed": {"from_s": 0.0, "to_s": 86_400.0, "requests": 50_000},
}
RAN: dict[str, Any] = {
    "name": "the policy that ran",
    "settings": None,
    "status": "ok",
    "requests": 9000,
    "violations": 2113,
    "violations_by_cause": {"decision": 113, "cold_start": 2000},
    "acted_s": 250.0,
    "earlier_s": 0.0,
    "saved": 0,
    "rescued": 0,
    "harmed": 0,
    "usd_added": 0.0,
    "usd_run_added": 0.0,
    "ready_at_start": 1,
    "pending_at_start": 0,
    "saved_low": None,
    "saved_high": None,
    "saved_differs": None,
}
FOUR = {
    **RAN,
    "name": "policy.target = 4",
    "settings": {"policy.target": 4.0},
    "violations": 273,
    "acted_s": 50.0,
    "earlier_s": 200.0,
    "saved": 1840,
    "rescued": 1840,
    "usd_added": 1.2,
    "usd_run_added": 4.1,
}
KEDA = {**FOUR, "name": "KEDA", "settings": None}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            [FOUR],
            "Had policy.target been 4, capacity would have been asked for 3 m 20 s earlier: 1,840 "
            "of 2,113 late or failed requests saved for $1.20 more in the window and $4.10 more in "
            "all 1 d 0 h replayed.",
        ),
        (
            # It saves as many for less in all.
            [FOUR, {**KEDA, "usd_added": 1.0, "usd_run_added": 1.001}],
            "Under KEDA, capacity would have been asked for 3 m 20 s earlier: 1,840 of 2,113 late "
            "or failed requests saved for $1.00 more in the window.",
        ),
        (
            [{**KEDA, "earlier_s": -60.0, "saved": 90, "rescued": 100, "harmed": 10,
              "usd_added": -0.001, "usd_run_added": -2.0}],
            "Under KEDA, capacity would have been asked for 1 m 0 s later: 100 of 2,113 late or "
            "failed requests saved, 10 others late instead, for the same money in the window and "
            "$2.00 less in all 1 d 0 h replayed.",
        ),
        (
            [{**KEDA, "acted_s": None, "earlier_s": None, "ready_at_start": 3,
              "usd_run_added": 1.2}],
            "Under KEDA, 3 replicas instead of 1 would have been ready as it began: 1,840 of 2,113 "
            "late or failed requests saved for $1.20 more in the window.",
        ),
        (
            [{**KEDA, "acted_s": None, "earlier_s": None, "usd_run_added": 1.2}],
            "Under KEDA, no capacity would have been asked for in the window: 1,840 of 2,113 late "
            "or failed requests saved for $1.20 more in the window.",
        ),
        (
            [{**FOUR, "saved": -5, "violations": 2118}],
            "Had policy.target been 4, no fewer than the 2,113 would have been late or failed.",
        ),
        (
            [FOUR | {"saved": 0, "violations": 2113, "usd_added": -1.0, "usd_run_added": -9.0},
             KEDA | {"saved": -5, "violations": 2118, "usd_run_added": -20.0}],
            "None of the 2 others would have missed fewer than 2,113; had policy.target been 4, it "
            "would have been no worse, for $1.00 less in the window and $9.00 less in all 1 d 0 h "
            "replayed.",
        ),
        (
            [],
            "2,113 of 9,000 requests did not have an answer within 10.0 s, 2,000 of them "
            "because new replicas were still starting. No other policy was tried.",
        ),
        (
            [{**dict.fromkeys(KEDA), "name": "Lambda", "status": "failed"}, FOUR],
            "Had policy.target been 4, capacity would have been asked for 3 m 20 s earlier: 1,840 "
            "of 2,113 late or failed requests saved for $1.20 more in the window and $4.10 more in "
            "all 1 d 0 h replayed. 1 policy could not be replayed; its row says why.",
        ),
    ],
)  # fmt: skip
def test_what_is_said(others, said):
    assert advice([RAN, *others], META) == said


def test_every_cause_has_words():
    for cause in CAUSES.values():
        said = advice([{**RAN, "violations_by_cause": {cause: 2113}}], META)
        assert "2,113 of them because " in said
        assert cause not in said


def test_nothing_to_save():
    calm = {**RAN, "violations": 0, "violations_by_cause": {"decision": 0}}
    assert advice([calm], META) == (
        "Every request of the window had its answer within 10.0 s as it was."
    )
    cheaper = {**KEDA, "violations": 0, "saved": 0, "usd_added": -1.0, "usd_run_added": -1.0}
    assert advice([calm, cheaper], META) == (
        "Every request of the window had its answer within 10.0 s as it was; under KEDA, it "
        "would have been no worse, for $1.00 less in the window."
    )


DRAWN = {
    **FOUR,
    "saved_low": 1500.2,
    "saved_high": 1900.4,
    "saved_differs": True,
    "usd_run_added_low": 3.5,
    "usd_run_added_high": 4.5,
    "usd_run_added_differs": True,
}
OVER = "40 other lucks of the same traffic"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, f" Over {OVER} it is between 1,500 and 1,900 fewer missed, for $3.50 to $4.50 more in "
             "all."),
        ({"usd_run_added_low": -2.0, "usd_run_added_high": -1.0},
         f" Over {OVER} it is between 1,500 and 1,900 fewer missed, for $1.00 to $2.00 less in "
         "all."),
        ({"usd_run_added_low": -2.0, "usd_run_added_differs": False},
         f" Over {OVER} it is between 1,500 and 1,900 fewer missed, and in dollars no difference "
         "by more than luck."),
        ({"saved_low": -40.0, "saved_differs": False},
         f" That may be luck: over {OVER} it is between 1,900 requests saved and 40 more missed."),
        ({"saved_low": 0.0, "saved_high": 0.0, "saved_differs": False},
         f" In most of {OVER} it would have saved none."),
    ],
)  # fmt: skip
def test_what_another_luck_would_have_made_of_it(found, said):
    assert advice([RAN, {**DRAWN, **found}], {**META, "replicates": 40}).endswith(said)


def test_that_nothing_is_saved_may_be_luck_too():
    none = {"saved": -469, "violations": 2582, "saved_low": -717.0, "saved_high": 539.0}
    text = advice([RAN, {**DRAWN, **none, "saved_differs": False}], {**META, "replicates": 40})
    assert text.startswith("Had policy.target been 4, no fewer than the 2,113 would have been late")
    assert text.endswith(
        f"That may be luck: over {OVER} it is between 539 requests saved and 717 more missed."
    )
    worse = {"saved": -469, "violations": 2582, "saved_low": -717.0, "saved_high": -39.0}
    text = advice([RAN, {**DRAWN, **worse}], {**META, "replicates": 40})
    assert "luck" not in text
