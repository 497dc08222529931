"""JSON written piece by piece is the JSON that the standard library writes of it whole."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.plain import csv_lines, json_lines, to_csv, to_json, to_plain


class Word(StrEnum):
    ONE = "one"


class Number(IntEnum):
    ONE = 1


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        [Word.ONE, Number.ONE, Decimal("1.5"), np.float64(0.1), np.int64(7), np.str_("a\u2028"),
         np.arange(3), np.array([np.nan, 1.0])],
    ),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=5), TREES, max_size=5))
def test_pieces_are_the_whole(document):
    assert "".join(json_lines(document)) == to_json(to_plain(document))


def test_a_list_that_rows_share_is_written_in_each():
    shared = [{"a": 1.0}]
    rows = [{"n": n, "shared": shared, "own": [n]} for n in range(3)]
    document = {"rows": rows}
    assert "".join(json_lines(document)) == to_json(document)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text() | st.integers()), max_size=5))
def test_csv_row_by_row_is_csv_whole(rows):
    assert "".join(csv_lines(lambda: iter(rows))) == to_csv(rows)
