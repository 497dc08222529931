"""The shape of blocks: what stands where, for any nesting of blocks, lists and kinds."""

from typing import Annotated, Literal

import pytest
from pydantic import Tag

from modeler.scenario.fields import Block, Number, Seconds, by_kind, setting
from modeler.scenario.tree import parts_of, patterns, shapes


class Gust(Block):
    """A list item of a kind that must be named."""

    kind: Literal["gust"] = "gust"
    share: Number = setting(0.5, "How hard.")


class Drought(Block):
    """Another, with a list of its own."""

    kind: Literal["drought"] = "drought"
    windows: tuple[Gust, ...] = setting((), "Blocks in a list in a list.")
    times_s: tuple[Seconds, ...] = setting((), "Plain values.")


Weather = Annotated[Annotated[Gust, Tag("gust")] | Annotated[Drought, Tag("drought")], by_kind("")]


class Day(Block):
    """Everything at once."""

    weather: tuple[Weather, ...] = setting((), "Kinds in a list.")
    one: Gust | None = setting(None, "A block that may be left out.")
    by_name: dict[str, float] = setting({}, "Keys of the analyst's own.")
    plain: Number = setting(1, "A number.")


def test_shapes_know_lists_kinds_and_plain_values() -> None:
    found = shapes(Day)
    assert found["weather"].listed
    assert found["weather"].has_kinds
    assert found["weather"].default == ""
    assert list(found["weather"].classes) == ["gust", "drought"]
    assert (found["one"].listed, list(found["one"].classes)) == (False, [""])
    assert found["by_name"].keyed
    assert not found["plain"].classes


def test_paths_go_to_any_depth_and_name_the_kinds_that_have_them() -> None:
    found = dict(patterns(Day))
    assert found["weather.N.share"] == ("gust",)
    assert found["weather.N.windows.N.share"] == ()
    assert found["weather.N.times_s"] == ("drought",)
    assert found["one.share"] == ()
    assert "weather.N.times_s.N" not in found


@pytest.mark.parametrize(
    ("value", "kind"),
    [({"kind": "gust"}, "gust"), (Drought(), "drought"), ({}, ""), (None, ""), (3, "")],
)
def test_the_kind_of_a_block_as_written(value: object, kind: str) -> None:
    item = shapes(Day)["weather"]._replace(listed=False)
    assert item.kind_of(value) == kind
    assert (item.class_of(value) is None) == (kind == "")


def test_numbers_of_items_are_numbers() -> None:
    assert parts_of("weather.10.share") == ("weather", 10, "share")
