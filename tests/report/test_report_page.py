import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from modeler.report import numbers, page

VOID = {"meta", "link", "br", "hr", "img", "input"}
WRITERS = (
    numbers.dollars,
    numbers.unit_price,
    numbers.percent,
    numbers.duration,
    numbers.count,
    numbers.ratio,
    numbers.size,
    numbers.rate,
    numbers.moment,
    numbers.plain,
    lambda hours: f"{hours:,.2f}",
)


class Page(HTMLParser):
    """What a browser would make of the page; asserts that elements are nested and closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[tuple[str, str]] = []  # value and shown text of <data>
        self.text: list[str] = []
        self.script = ""
        self.tables: list[list[str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        if "table" in [name for name, _ in self.open]:
            self.tables[-1].append(tag)
        if tag == "data":
            self.data.append((dict(attrs)["value"] or "", ""))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        tag = self.open[-1][0] if self.open else ""
        if tag == "script":
            self.script += data
        elif tag == "data":
            self.data[-1] = (self.data[-1][0], self.data[-1][1] + data)
        if tag not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def numbers_in(plain: Any) -> set[float]:
    if isinstance(plain, dict):
        return set().union(*map(numbers_in, plain.values()), set())
    if isinstance(plain, list):
        return set().union(*map(numbers_in, plain), set())
    return {plain} if isinstance(plain, int | float) else set()


def derived(result: dict[str, Any]) -> set[float]:
    """The few numbers that the page works out, by their own arithmetic."""
    found: set[float] = set()
    for row in result["scenarios"] + result["references"]:
        if row["status"] != "ok":
            continue
        hours = row["duration_s"] / 3600.0
        found.add(row["usd_total"] / row["bounds"]["work_bound"]["usd_total"])
        for bound in row["bounds"].values():
            found.add(bound["usd_total"] / hours)
            found.add(1000.0 * bound["usd_total"] / row["requests"])
            found.add(bound["replica_hours"] / hours)
    return found


def test_every_number_shown_is_the_jsons(
    sweep: dict[str, Any], timeline: dict[str, Any], page_text: str
) -> None:
    read = Page(page_text)
    known = numbers_in(sweep) | numbers_in(timeline) | derived(sweep)
    assert len(read.data) > 300
    for value, shown in read.data:
        number = json.loads(value)
        assert number in known, (value, shown)
        assert shown in {write(number) for write in WRITERS}, (value, shown)


def test_the_whole_result_is_inside(
    sweep: dict[str, Any], timeline: dict[str, Any], page_text: str
) -> None:
    assert json.loads(Page(page_text).script) == {
        "result": sweep,
        "timeline": timeline,
    }


def test_nothing_is_fetched(page_text: str) -> None:
    read = Page(page_text)
    for tag, attributes in read.all:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page_text))
    assert "@import" not in page_text
    scripts = [attributes for tag, attributes in read.all if tag == "script"]
    assert [one["type"] for one in scripts] == ["application/json"]


def test_names_of_elements_are_unique(page_text: str) -> None:
    read = Page(page_text)
    ids = [attributes["id"] for _, attributes in read.all if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {a["href"][1:] for _, a in read.all if (a.get("href") or "").startswith("#")}
    used |= set(re.findall(r"url\(#([^)]*)\)", page_text))
    assert used <= set(ids)


def test_tables_are_accessible(page_text: str) -> None:
    read = Page(page_text)
    assert len(read.tables) == 8
    for tags in read.tables:
        assert tags[0] == "caption"
    scopes = {attributes.get("scope") for tag, attributes in read.all if tag == "th"}
    assert scopes == {"row", "col"}
    assert ("html", {"lang": "en"}) in read.all


def test_rows_are_as_wide_as_their_heading(targets: dict[str, Any]) -> None:
    text = page(targets)
    table = text[text.index('id="scenarios"') :].split("</table>")[0]
    head, *rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    width = head.count("<th")
    for row in rows:
        spans = sum(int(span) - 1 for span in re.findall(r'colspan="(\d+)"', row))
        assert len(re.findall(r"<t[hd][ >]", row)) + spans == width, row


def test_what_a_decision_needs_is_on_the_page(sweep: dict[str, Any], page_text: str) -> None:
    words = Page(page_text).words
    assert " ".join(sweep["verdict"].split()) in words
    assert "failed: a model of 40 GB does not fit ml.g5.2xlarge" in words
    assert "on-demand$1.515as of 2026-06-19quoted" in words
    assert sweep["run"]["traces"][0]["content_hash"] in words
    for name, version in sweep["run"]["versions"].items():
        assert f"{name} {version}" in words
    for one in sweep["scenarios"][0]["assumptions"]:
        assert one["path"] in words
        assert " ".join(one["source"].split()) in words


def test_the_bill_adds_up(sweep: dict[str, Any], page_text: str) -> None:
    bill = page_text[page_text.index('id="bill"') :].split("</table>")[0]
    lines = re.findall(r'<data value="([^"]*)">\$[\d.,]+</data></td><td class="text">', bill)
    amounts = [json.loads(value) for value in lines]
    best = sweep["scenarios"][0]
    assert amounts == [line["amount_usd"] for line in best["cost_lines"]]
    assert sum(amounts) == pytest.approx(best["usd_total"], abs=1e-9)  # rounding of the sum


def test_hostile_text_stays_text(sweep: dict[str, Any], timeline: dict[str, Any]) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;\u2028"
    sweep["run"]["name"] = evil
    sweep["verdict"] = evil
    sweep["run"]["traces"][0]["source"] = evil
    sweep["scenarios"][-1]["error"] = evil
    for i, row in enumerate(sweep["scenarios"]):
        row["settings"]["service.file"] = f"{evil}{i}"
    sweep["scenarios"][0]["assumptions"][0]["source"] = evil
    text = page(sweep, timeline)
    read = Page(text)
    assert text.count("<script") == 1
    assert not [tag for tag, attributes in read.all if tag == "img" or "onerror" in attributes]
    assert json.loads(read.script)["result"] == sweep
    assert "<script>alert(1)</script>" in read.words


def test_the_same_bytes_on_a_second_run(
    sweep: dict[str, Any], timeline: dict[str, Any], page_text: str
) -> None:
    assert page(sweep, timeline) == page_text


def test_old_prices_are_warned_about(sweep: dict[str, Any], page_text: str) -> None:
    assert 'class="warning"' not in page_text
    sweep["run"]["as_of_today"] = "2026-11-01"
    # 19 June to 1 November: 11 + 31 + 31 + 30 + 31 + 1 days
    assert "135 days old" in Page(page(sweep)).words


def test_a_page_without_any_result_still_says_why(failed: dict[str, Any]) -> None:
    read = Page(page(failed))
    assert "failed: a model of 40 GB" in read.words
    assert "svg" not in [tag for tag, _ in read.all]


def test_it_prints_and_turns_dark(page_text: str) -> None:
    assert "@page { size: A4" in page_text
    assert "prefers-color-scheme: dark" in page_text
    svg = page_text[page_text.index("<svg") : page_text.index("</svg>")]
    assert "var(--ink)" in svg
    assert "#1c2430" not in svg
    defined = set(re.findall(r"(--[a-z]+):", page_text))
    assert set(re.findall(r"var\((--[a-z]+)\)", page_text)) <= defined
