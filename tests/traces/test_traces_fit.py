"""Fitted laws: known ones found again, a published hour reproduced, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from traces import Trace, TraceError, TrafficLaw, fit, generate, load, match
from traces.law import Gaps, Quantiles, Tokens, Wander
from traces.match import figures


def test_a_known_law_is_found_again() -> None:
    # What a minute scatters by is known to a tenth from three days of them.
    law = TrafficLaw(
        days=1.9, mean_rps=6, step_s=5, gaps=Gaps(law="hyperexponential", cv=1.6),
        wander=(Wander(sigma=0.3, tau_s=300),),
    )  # fmt: skip
    found = fit(generate(law, 11))
    assert found.gaps.law == "hyperexponential"
    assert found.gaps.cv == pytest.approx(1.6, rel=0.05)
    variance = sum(part.sigma**2 for part in found.wander)
    assert variance == pytest.approx(0.3**2, rel=0.2)
    slow = sum(part.sigma**2 for part in found.wander if 100 <= part.tau_s <= 1000)
    assert slow > 0.8 * variance


def test_poisson_traffic_is_found_to_be_so() -> None:
    found = fit(generate(TrafficLaw(days=0.5, mean_rps=5), 2))
    assert found.gaps.cv == pytest.approx(1.0, abs=0.02)
    assert sum(part.sigma**2 for part in found.wander) < 1e-3


def test_regular_traffic_is_gamma() -> None:
    found = fit(generate(TrafficLaw(days=0.2, mean_rps=5, gaps=Gaps(law="gamma", cv=0.5)), 2))
    assert found.gaps.law == "gamma"
    assert found.gaps.cv == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("days", "size"), [(1.0, None), (3.0, 24), (15.0, 168)])
def test_hours_are_fitted_where_they_are_seen(days: float, size: int | None) -> None:
    week = generate("office-week", 3, days=days)
    found = fit(week)
    assert (None if found.hours is None else len(found.hours)) == size
    if size == 168:
        # Mondays at ten are the peak and Sundays by night the least: within a third.
        assert found.hours[10] / found.hours[3] == pytest.approx(1.0 / 0.03, rel=0.35)
        made = figures(generate(found, 0))
        assert made["iod_60s"] == pytest.approx(figures(week)["iod_60s"], rel=0.25)


def test_tokens_are_fitted_with_what_they_share() -> None:
    law = TrafficLaw(
        days=0.2, mean_rps=3,
        tokens=Tokens(
            prompt=Quantiles(shares=(0, 0.5, 1), values=(1, 100, 1000)),
            output=Quantiles(shares=(0, 0.5, 1), values=(1, 50, 300)),
            correlation=-0.5,
        ),
    )  # fmt: skip
    trace = generate(law, 8)
    found = fit(trace)
    assert found.tokens.correlation == pytest.approx(-0.5, abs=0.02)
    made = generate(found, 1)
    for name in ("prompt_tokens", "output_tokens"):
        assert made.columns[name].mean() == pytest.approx(trace.columns[name].mean(), rel=0.03)


FOLDER = os.environ.get("MODELER_TRACES")


@pytest.mark.skipif(not FOLDER, reason="MODELER_TRACES names no folder of real traces")
def test_a_published_hour_is_reproduced() -> None:
    # Required: rate within 2 %, scatter of gaps 10 %, dispersion at 1, 10, 60 and 120 s 25 %.
    trace = load(Path(str(FOLDER)) / "azure_llm_2023_conv.csv.gz")
    assert isinstance(trace, Trace)
    law = fit(trace)
    wanted = figures(trace)
    for seed in range(4):
        made = figures(generate(law, seed))
        assert made["mean_rps"] == pytest.approx(wanted["mean_rps"], rel=0.02)
        assert made["cv_interarrival"] == pytest.approx(wanted["cv_interarrival"], rel=0.10)
        for width in (1, 10, 60, 120):
            name = f"iod_{width}s"
            assert made[name] == pytest.approx(wanted[name], rel=0.25), (seed, name)


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(TraceError, match=r"5 requests in 4 s.*at least 1,000"):
        fit(Trace(np.arange(5.0)))
    with pytest.raises(TraceError, match="in 0 s"):
        fit(Trace(np.zeros(2000)))


def test_rows_of_a_match_agree_with_the_figures() -> None:
    law = TrafficLaw(days=0.05, mean_rps=2, paths=4, wander=(Wander(sigma=0.2, tau_s=60),))
    trace = generate(law, 0)
    rows = {row.quantity: row for row in match(trace, law, seeds=3)}
    made = [figures(generate(law, seed))["iod_60s"] for seed in range(3)]
    row = rows["iod_60s"]
    assert (row.lowest, row.highest) == (min(made), max(made))
    assert row.made == pytest.approx(np.mean(made))
    assert row.error_pct == pytest.approx(100 * (np.mean(made) / row.trace - 1))


def test_fit_then_generate_then_replay(tmp_path: Path) -> None:
    trace, law = tmp_path / "t.csv", tmp_path / "law.json"
    run = CliRunner().invoke
    made = run(cli, ["trace", "generate", "--days", "0.05", "--mean-rps", "2", "-o", str(trace)])
    assert made.exit_code == 0, made.output
    fitted = run(
        cli,
        ["trace", "fit", str(trace), "--write", str(law), "--out", str(tmp_path / "figures"),
         "--format", "json"],
    )  # fmt: skip
    assert fitted.exit_code == 0, fitted.output
    result = json.loads(fitted.stdout)
    assert result["schema"] == "trace-fit/1"
    assert {row["quantity"] for row in result["match"]} >= {"mean_rps", "iod_60s"}
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".png", ".svg"}
    again = run(cli, ["trace", "generate", str(law), "--seed", "5", "-o", str(tmp_path / "x.npz")])
    assert again.exit_code == 0, again.output
    assert load(law, seed=5).content_hash == load(tmp_path / "x.npz").content_hash


def test_counts_are_not_fitted(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("t_s,count\n" + "".join(f"{60 * k},{k % 7}\n" for k in range(30)))
    ran = CliRunner().invoke(cli, ["trace", "fit", str(path)])
    assert ran.exit_code == 2
    assert "one arrival per request" in ran.output
