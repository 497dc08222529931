import io
import re
from typing import Any

import pytest
from rich.cells import cell_len

from modeler.report import look_of, sweep_table

ANSI = re.compile(r"\x1b\[\d*m")


class Screen(io.TextIOWrapper):
    def __init__(self, terminal: bool, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def line_of(text: str, size: str, policy: str) -> str:
    return next(line for line in text.splitlines() if size in line and f" {policy} " in line)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_asked(sweep: dict[str, Any], width: int, unicode: bool) -> None:
    text = sweep_table(sweep, width=width, unicode=unicode)
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_every_figure_of_a_row_is_there_at_any_width(sweep: dict[str, Any]) -> None:
    wide = line_of(sweep_table(sweep, width=120), "14 GB", "target tracking")
    # From the file, read by eye: usd_per_hour 3.17886, usd_total 534.05097, ...
    expected = "3.18 534.05 0.44 2.20× ✗ 7.07 % 1m1s/11m11s 8m24s/9m12s 38.3s 2.0/10"
    assert wide.split()[4:] == expected.split()
    narrow = sweep_table(sweep, width=70)
    assert all(figure in narrow for figure in expected.split())


def test_intervals_stand_beside_what_has_them(sweep: dict[str, Any]) -> None:
    assert "interval" not in sweep_table(sweep)
    row = sweep["scenarios"][1]
    bands = {"usd_per_hour": {"low": 1.234, "high": 5.678}, "sla_violation_share": None}
    rows = [*sweep["scenarios"]]
    drawn = {"bands": bands, "replicates": 20, "blocks": 7, "note": "7 days, taken as alike"}
    rows[1] = {**row, "uncertainty": drawn}
    text = sweep_table({**sweep, "scenarios": rows}, width=200)
    assert "the traffic drawn again: 7 days, taken as alike" in text
    assert "Warning: " not in text
    rows[1] = {**row, "uncertainty": {**drawn, "blocks": 3}}
    assert "Warning: 3 days cannot tell" in sweep_table({**sweep, "scenarios": rows}, width=200)
    brief = {**sweep["run"], "traces": [{**sweep["run"]["traces"][0], "duration_s": 1200.0}]}
    short = sweep_table({**sweep, "run": brief, "scenarios": rows}, width=200)
    assert "Warning: less than two days of traffic" in short
    assert "1.23 to 5.68" in line_of(text, " 4 GB", "target tracking")
    assert text.count(" to ") == 1 + text.count("to ready")


def test_what_may_or_may_not_keep_the_level_has_its_own_mark(sweep: dict[str, Any]) -> None:
    assert "? may or may not keep it" not in sweep_table(sweep, width=200)
    row = sweep["scenarios"][1]
    allowed = row["sla"]["max_violation_share"]
    share = {"low": 0.5 * allowed, "high": 2.0 * allowed}
    bands = {"usd_per_hour": None, "sla_violation_share": share}
    rows = [*sweep["scenarios"]]
    rows[1] = {**row, "uncertainty": {"bands": bands, "blocks": 7, "note": "a week"}}
    text = sweep_table({**sweep, "scenarios": rows}, width=200)
    line = line_of(text, " 4 GB", "target tracking")
    assert " ? " in line
    assert "✓" not in line
    assert "✗" not in line
    assert "? may or may not keep it" in " ".join(text.split())


def test_the_ratio_is_dollars_over_the_work_bound(sweep: dict[str, Any]) -> None:
    row = sweep["scenarios"][1]
    ratio = row["usd_total"] / row["bounds"]["work_bound"]["usd_total"]
    assert f"{ratio:.2f}×" in line_of(sweep_table(sweep), " 4 GB", "target tracking")


def test_a_failed_row_tells_its_whole_reason(sweep: dict[str, Any]) -> None:
    for width in (60, 80, 120):
        words = " ".join(sweep_table(sweep, width=width).split())
        assert "failed: a model of 40 GB does not fit ml.g5.2xlarge" in words
        assert "ml.g5.12xlarge" in words


def test_verdict_references_bounds_and_prices(sweep: dict[str, Any]) -> None:
    text = sweep_table(sweep)
    words = " ".join(text.split())
    assert words.startswith(" ".join(sweep["verdict"].split()))
    assert "1,272.60" in line_of(text, " 8 GB", "fixed 5")
    assert "403.58" in line_of(text, "14 GB", "zero wait")
    assert "242.89" in line_of(text, "14 GB", "work bound")
    assert "$1.515/h, as of 2026-06-19, quoted" in words
    assert "12 defaults in force (8 assumed, 1 documented, 3 observed)" in words


def test_only_settings_that_differ_are_columns(targets: dict[str, Any]) -> None:
    text = sweep_table(targets)
    assert re.search(r"size +policy +target +\$/h", text)
    # One setting more still makes one block of 120 cells.
    assert len(re.findall("size +policy", text)) == 1
    for row in targets["scenarios"]:
        row["settings"]["policy.target"] = 60
    assert " target  " not in sweep_table(targets)


def test_colour_only_when_asked_and_never_alone(sweep: dict[str, Any]) -> None:
    plain = sweep_table(sweep)
    coloured = sweep_table(sweep, color=True)
    assert "\x1b" not in plain
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == plain


def test_ascii_holds_only_ascii(sweep: dict[str, Any]) -> None:
    sweep["verdict"] = "Größe 模型 → 14 GB"
    text = sweep_table(sweep, unicode=False)
    assert text.isascii()
    assert "*   1 GB" in text


def test_text_from_outside_does_not_steer_the_terminal(sweep: dict[str, Any]) -> None:
    sweep["run"]["traces"][0]["source"] = "a\x1b[2Jb\x07\r.csv"
    sweep["scenarios"][-1]["error"] = "no\x1b]0;title\x07\nsecond line"
    text = sweep_table(sweep)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert "no?]0;title? second line" in text


def test_wide_characters_keep_columns_aligned(targets: dict[str, Any]) -> None:
    for row in targets["scenarios"]:
        row["settings"]["policy.target"] = "模型" if row["pareto"] else "a"
    text = sweep_table(targets, width=200)
    rows = [line for line in text.splitlines() if " target tracking " in line]
    # The last column is full in every row that was replayed.
    assert len({cell_len(line) for line in rows if "failed:" not in line}) == 1


def test_a_long_value_keeps_its_end(targets: dict[str, Any]) -> None:
    for i, row in enumerate(targets["scenarios"]):
        row["settings"]["policy.target"] = f"/a/very/long/path/to/a/trace_{i}.csv.gz"
    text = sweep_table(targets, width=80)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert all(f"trace_{i}.csv.gz" in text for i in range(10))


def test_nothing_could_be_replayed(failed: dict[str, Any]) -> None:
    text = sweep_table(failed, width=80)
    assert "failed: a model of 40 GB" in text
    assert "defaults in force" not in text


def test_an_old_price_is_named_when_the_run_has_a_date(sweep: dict[str, Any]) -> None:
    assert "Warning" not in sweep_table(sweep)
    sweep["run"]["as_of_today"] = "2026-09-18"  # 91 days after 2026-06-19
    assert "91 days old" in sweep_table(sweep)
    sweep["run"]["as_of_today"] = "2026-09-17"
    assert "Warning" not in sweep_table(sweep)


def test_a_pipe_gets_no_colour_and_room(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_of(Screen(False, "utf-8"), {}) == {"width": 120, "color": False, "unicode": True}


def test_a_terminal_gets_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "91")
    assert look_of(Screen(True, "utf-8"), {}) == {"width": 91, "color": True, "unicode": True}
    assert not look_of(Screen(True, "utf-8"), {"NO_COLOR": "1"})["color"]
    assert look_of(Screen(True, "utf-8"), {"NO_COLOR": ""})["color"]
    assert not look_of(Screen(True, "utf-8"), {"TERM": "dumb"})["color"]
    assert not look_of(Screen(True, "ascii"), {})["unicode"]
    assert not look_of(Screen(True, "latin-1"), {})["unicode"]
