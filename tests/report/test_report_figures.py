import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from modeler.report import plot_lag, plot_sizes, plot_timeline, write_figures
from modeler.report.figures import inline_svg
from modeler.report.style import drawing

NAMES = {"dollars_and_misses", "timeline", "lag"}


def written(result: dict[str, Any], folder: Path, timeline: dict[str, Any]) -> dict[str, bytes]:
    folder.mkdir()
    paths = write_figures(result, folder, timeline, ("png", "svg", "pdf"))
    return {path.name: path.read_bytes() for path in paths}


def test_the_same_bytes_on_a_second_run_whatever_the_readers_settings(
    sweep: dict[str, Any], timeline: dict[str, Any], tmp_path: Path
) -> None:
    first = written(sweep, tmp_path / "a", timeline)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        second = written(sweep, tmp_path / "b", timeline)
        assert matplotlib.rcParams["font.size"] == 30
    assert {name.split(".")[0] for name in first} == NAMES
    assert first == second


def test_figures_are_sharp_and_carry_no_date(
    sweep: dict[str, Any], timeline: dict[str, Any], tmp_path: Path
) -> None:
    for name, content in written(sweep, tmp_path / "a", timeline).items():
        assert len(content) > 10_000, name
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG")
            assert int.from_bytes(content[16:20]) == 1536  # 9.6 inches at 160 dots
        else:
            assert b"Date" not in content
            assert b"dc:date" not in content


def test_without_a_timeline_there_are_two(sweep: dict[str, Any], tmp_path: Path) -> None:
    assert [path.name for path in write_figures(sweep, tmp_path, formats=["png"])] == [
        "dollars_and_misses.png",
        "lag.png",
    ]


def test_nothing_to_draw(failed: dict[str, Any], tmp_path: Path) -> None:
    assert write_figures(failed, tmp_path) == []
    assert inline_svg(failed) == {}


def test_dollars_and_misses_are_the_rows(sweep: dict[str, Any]) -> None:
    rows = [row for row in sweep["scenarios"] if row["status"] == "ok"]
    with drawing():
        figure = plot_sizes.draw(sweep)
    money, misses = figure.axes
    lines = {line.get_label(): line for line in (*money.lines, *misses.lines)}
    drawn = lines["target tracking, $ per hour"]
    assert list(drawn.get_xdata()) == [1.0, 4.0, 8.0, 14.0]
    assert list(drawn.get_ydata()) == [row["usd_per_hour"] for row in rows]
    shares = lines["target tracking, requests missed"].get_ydata()
    assert list(shares) == [100.0 * row["sla_violation_share"] for row in rows]
    assert list(lines["Pareto"].get_ydata()) == [rows[0]["usd_per_hour"]]
    hourly = [
        row["bounds"]["work_bound"]["usd_total"] / (row["duration_s"] / 3600.0) for row in rows
    ]
    assert list(lines["work bound"].get_ydata()) == pytest.approx(hourly, rel=1e-12)
    # 20 replicas at 14 GB miss the promise: no line may claim them as a way to keep it.
    fixed = lines["smallest fixed fleet that keeps the SLA"]
    assert list(fixed.get_xdata()) == [1.0, 4.0, 8.0]
    assert "✗ could not be replayed" in [note.get_text() for note in misses.texts + money.texts]


def test_several_settings_have_a_panel_each(targets: dict[str, Any]) -> None:
    with drawing():
        money, misses = plot_sizes.draw(targets).axes
    labels = [line.get_label() for line in money.lines]
    assert {"target 60", "target 40"} <= set(labels)
    assert money.get_position().y0 > misses.get_position().y0


def test_many_settings_leave_the_best_in_front(targets: dict[str, Any]) -> None:
    rows = targets["scenarios"]
    for target in range(100, 108):
        for row in copy.deepcopy(rows[5:10]):
            row["settings"]["policy.target"] = target
            rows.append(row)
    with drawing():
        money = plot_sizes.draw(targets).axes[0]
    labels = [line.get_label() for line in money.lines]
    assert [label for label in labels if label.startswith("target")] == ["target 60"]


def test_one_size_only(sweep: dict[str, Any]) -> None:
    sweep["scenarios"] = sweep["scenarios"][3:4]
    with drawing():
        axes = plot_sizes.draw(sweep).axes[0]
    low, high = axes.get_xlim()
    assert low < 14.0 < high


def test_lag_bars_are_the_medians_and_overlap_only_in_lanes(sweep: dict[str, Any]) -> None:
    with drawing():
        figure = plot_lag.draw(sweep)
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["1 GB", "4 GB", "8 GB", "14 GB"]
    phases = sweep["scenarios"][3]["decision_to_ready_s"]["phases"]
    bars = [bar for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == 3]
    expected = [times["p50"] for times in phases.values() if times["p50"]]
    assert sorted(bar.get_width() for bar in bars) == pytest.approx(sorted(expected))
    lanes: dict[float, list[Any]] = {}
    for bar in bars:
        lanes.setdefault(round(bar.get_y(), 6), []).append(bar)
    assert len(lanes) == 2  # the artifact comes while the image does
    for lane in lanes.values():
        lane.sort(key=lambda bar: bar.get_x())
        for one, following in pairwise(lane):
            assert following.get_x() >= one.get_x() + one.get_width() - 1e-9


def test_detection_stands_before_the_decision(sweep: dict[str, Any]) -> None:
    sweep["scenarios"] = sweep["scenarios"][3:4]
    sweep["scenarios"][0]["breach_to_ready_s"]["phases"]["detect"]["p50"] = 190.0
    with drawing():
        bars = plot_lag.draw(sweep).axes[0].patches
    assert [bar.get_width() for bar in bars if bar.get_width() < 0] == [-190.0]


def test_the_fleet_is_stacked(timeline: dict[str, Any]) -> None:
    with drawing():
        load, fleet = plot_timeline.draw(timeline, "1 GB").axes
    tops = {patch.get_label(): patch.get_data() for patch in fleet.patches}
    assert list(load.patches[0].get_data().values) == timeline["arrivals_rps"]
    whole = [
        sum(parts)
        for parts in zip(timeline["ready"], timeline["draining"], timeline["pending"], strict=True)
    ]
    assert list(tops["pending"].values) == pytest.approx(whole)
    assert list(tops["pending"].baseline) == list(tops["draining"].values)


def test_odd_characters_and_dollars_in_a_setting(targets: dict[str, Any], tmp_path: Path) -> None:
    for row in targets["scenarios"]:
        row["settings"]["policy.target"] = "$x^2$ 模<b>" if row["pareto"] else "$"
    assert write_figures(targets, tmp_path, formats=["svg"])
    assert "<b>" not in inline_svg(targets)["dollars_and_misses"]
