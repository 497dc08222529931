"""The doctor's figure: every finding once, at the setting that makes it, at its value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.axes import Axes

from modeler.cli.main import cli
from modeler.report.studies import diagnosis, figure_bytes
from modeler.report.style import drawing
from modeler.scenario import Scenario, default, with_values
from modeler.study import doctor
from modeler.study.doctor import Diagnosis
from traces import Trace

# Two requests a second for an hour; a request takes a second and a replica has four slots, so that
# it serves four a second, 240 a minute. A start takes 100 s.
STEADY = Trace(np.arange(0.0, 3600.0, 0.5))
FIXED = {
    "service": {"kind": "fixed", "mean_s": 1.0},
    "fleet.slots": 4,
    "cold_start.total_s": 100,
    "queue.client_timeout_s": "none",
    "sweep": {},
}


def of(settings: dict[str, object]) -> Diagnosis:
    return doctor(scenario(settings), STEADY)


def scenario(settings: dict[str, object]) -> Scenario:
    return with_values(default(), FIXED | settings)


def panels(found: Diagnosis) -> list[Axes]:
    with drawing():
        return list(diagnosis.draw(found).axes)


def names(axes: Axes) -> list[str]:
    return [one.get_text() for one in axes.get_yticklabels()]


def marks(axes: Axes, name: str) -> list[tuple[float, float]]:
    """First and last place of what is drawn in the row of a name, in the axis's unit."""
    (at,) = [k for k, one in enumerate(names(axes)) if one.startswith(name)]
    return [
        (float(np.min(line.get_xdata())), float(np.max(line.get_xdata())))
        for line in axes.lines
        if len(line.get_ydata()) and set(np.asarray(line.get_ydata(), float)) == {float(at)}
        and line.get_transform() == axes.transData
    ]  # fmt: skip


def test_times_and_shares_stand_at_their_values() -> None:
    """A minute's metric with three datapoints, a minute and ten seconds late: 250 s; 168 of 240."""
    found = of({"policy": {"kind": "target_tracking", "target": 168}})
    assert not found.findings
    times, levels = panels(found)
    assert "start: all of it, 1 m 40 s" in names(times)
    assert marks(times, "policy: adds") == [(250.0, 250.0)]
    assert "policy: scale out cooldown, 5 m" in names(times)
    assert marks(times, "request: being served") == [(1.0, 1.0)]
    assert marks(levels, "target, invocations per instance: 168 of 240") == [(70.0, 70.0)]
    # Twenty replicas serve eighty a second, and two come.
    ((mean, _),) = marks(levels, "traffic, mean: 2 of 80 requests/s")
    assert mean == pytest.approx(2.5, rel=1e-3)  # the last request ends the hour half a second soon


def test_a_time_is_joined_to_what_it_is_held_against() -> None:
    """A limit of 99 s and a start of 100 s."""
    found = of({"cold_start.start_limit_s": 99})
    times, _ = panels(found)
    assert "start-limit-under-start" in [one.get_text() for one in times.texts]
    assert (99.0, 100.0) in marks(times, "limit: start given up, from the container on")


def test_a_share_beyond_the_axis_is_drawn_at_its_edge() -> None:
    found = of({"policy": {"kind": "target_tracking", "target": 720}})
    (finding,) = found.of("critical")
    assert finding.id == "target-above-capacity"
    _, levels = panels(found)
    assert levels.get_xlim() == (0.0, 150.0)
    drawn = marks(levels, "target, invocations per instance: 720 of 240")
    assert (100.0, 150.0) in drawn
    assert max(high for _, high in drawn) == 150.0


@pytest.mark.parametrize(
    "settings",
    [
        {"cold_start.false_ready_s": 30, "cold_start.start_limit_s": 99, "fleet.max": 1,
         "fleet.initial": 1, "policy": {"kind": "target_tracking", "target": 20}},
        {"hosting.kind": "eks_karpenter", "hosting.nodes": {"kind": "karpenter"}, "fleet.min": 0,
         "fleet.initial": 0, "policy": {"kind": "keda", "cooldown_s": 30}},
        {"hosting.kind": "ec2_asg", "policy": {"kind": "predictive"}},
        {"hosting.kind": "lambda", "fleet.slots": None, "policy": {"kind": "per_request"},
         "model.size": "1GB", "hosting.provisioned_concurrency": 1},
        {"model.size": "4TB"},
    ],
    ids=["several", "keda", "forecast", "lambda", "does-not-fit"],
)  # fmt: skip
def test_every_finding_is_named_once(settings: dict[str, object]) -> None:
    found = of(settings)
    assert found.findings
    ids = sorted(one.id for one in found.findings)
    named = [text.get_text() for axes in panels(found) for text in axes.texts]
    assert sorted(name for name in named if name in ids) == ids


def test_the_same_diagnosis_gives_the_same_bytes_and_the_command_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-05T00:{k // 60:02d}:{k % 60:02d}Z\n" for k in range(600))
    Path("ten.csv").write_text("timestamp\n" + rows)
    Path("mine.yaml").write_text(
        "trace: ten.csv\nmodel: {size: 4GB}\nservice: {kind: fixed, mean_s: 1.0}\n"
    )
    for name in ("a.svg", "b.svg"):
        result = CliRunner().invoke(
            cli, ["doctor", "mine.yaml", "--figure", name, "--format", "json"]
        )
        assert result.exit_code == 0, result.output
        assert f"wrote {name}" in result.stderr
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert figure_bytes(diagnosis.draw, of({}), "png").startswith(b"\x89PNG")
