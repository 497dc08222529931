"""Bills as FOCUS 1.2: mandatory columns, sums, periods, what has no date."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.report import FocusError, focus_rows
from modeler.report.focus import COLUMNS

# The specification's own list, version 1.2, and which of them may be null.
MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory",
    "ServiceName",
)  # fmt: skip
NULLABLE = {"BillingAccountName", "ChargeClass"}
CATEGORIES = {"AI and Machine Learning", "Compute"}  # of the specification's list
OUTCOME = {
    "status": "ok", "scenario_id": "abc", "size_bytes": 14_000_000_000, "region": "us-east-1",
    "instance_type": "ml.g5.2xlarge", "policy": "target_tracking", "requests": 1000,
    "sla_violation_share": 0.02, "duration_s": 7200.0, "start": "2026-01-31T23:00:00Z",
    "breach_to_ready_s": {"p50": 3.0, "p95": 400.0}, "decision_to_ready_s": {"p50": 417.0},
    "prices": [{"currency": "USD", "purchase": "on-demand", "confidence": "quoted"}],
    "cost_lines": [
        {"component": "serving", "quantity": 2.0, "unit": "instance-hour", "unit_price_usd": 1.515,
         "amount_usd": 3.03, "source": "somewhere", "as_of": "2026-06-19"},
        {"component": "idle", "quantity": 1.0, "unit": "instance-hour", "unit_price_usd": 1.515,
         "amount_usd": 1.515, "source": "somewhere", "as_of": "2026-06-19"},
    ],
}  # fmt: skip


def test_every_mandatory_column_has_a_value():
    rows = focus_rows({"outcome": OUTCOME})
    assert len(rows) == 2
    for row in rows:
        assert tuple(row) == COLUMNS
        assert set(MANDATORY) <= set(row)
        for name in MANDATORY:
            assert name in NULLABLE or row[name] not in (None, ""), name
        assert row["ServiceCategory"] in CATEGORIES
        assert (row["ChargeCategory"], row["BillingCurrency"]) == ("Usage", "USD")
        assert row["x_Estimate"] is True
        # A product of the specification: list cost is unit price times quantity.
        assert row["ListCost"] == pytest.approx(row["ListUnitPrice"] * row["PricingQuantity"])
        assert all(name.startswith("x_") for name in COLUMNS if name[0].islower())
    assert sum(row["EffectiveCost"] for row in rows) == pytest.approx(4.545)
    assert sum(row["BilledCost"] for row in rows) == 0.0  # nothing was billed


def test_periods_lie_within_their_months():
    row = focus_rows({"outcome": OUTCOME})[0]
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        "2026-01-31T23:00:00Z", "2026-02-01T01:00:00Z",
    )  # fmt: skip
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z",
    )  # fmt: skip


def test_failed_scenarios_have_no_bill_and_undated_traffic_no_period():
    assert focus_rows({"scenarios": [{**OUTCOME, "status": "failed"}]}) == []
    with pytest.raises(FocusError, match="has no date"):
        focus_rows({"outcome": {**OUTCOME, "start": None}})


@pytest.mark.parametrize("command", ["replay", "sweep"])
def test_the_commands_write_it(command, tmp_path):
    trace = tmp_path / "t.csv"
    trace.write_text("timestamp\n" + "".join(f"2026-03-02T08:{m:02}:00Z\n" for m in range(60)))
    more = ["--size", "2GB", "--set", "service.kind=fixed", "--set", "service.mean_s=1s"]
    more += ["--no-references"] if command == "sweep" else []
    ran = CliRunner().invoke(cli, [command, "--trace", str(trace), *more, "--format", "focus"])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert rows
    assert tuple(rows[0]) == COLUMNS
    assert float(rows[0]["ListCost"]) >= 0.0
