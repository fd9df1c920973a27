"""Fields become columns that say where a document's value stands among the others'."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.fields.normalised import is_of_fields, name_columns, normalise, rank_evenly
from serving.index.fields.table import FieldTable

ROWS = np.arange(5)


@pytest.fixture
def table() -> FieldTable:
    table = FieldTable()
    documents = [
        {"price": 10, "brand": "acme", "stock": True, "at": "2026-01-01"},
        {"price": 500, "brand": "acme", "stock": False, "at": "2026-01-03"},
        {"price": 20, "brand": ["other", "acme"], "at": "2026-01-02"},
        {"brand": "rare = one", "stock": True},
        {},
    ]
    for row, fields in enumerate(documents):
        table.add(row, fields)
    return table


def test_columns_are_named_by_what_documents_hold(table: FieldTable) -> None:
    names = name_columns(table, {"brand": 2, "price": 9, "stock": 9, "gone": 9, "at": 1}, ROWS)
    assert names == (
        *("number:at", "missing:at", "value:brand=acme", "value:brand=other", "missing:brand"),
        *("number:price", "missing:price", "value:stock=true", "value:stock=false", "missing:stock"),
    )
    assert all(map(is_of_fields, names))
    assert not is_of_fields("bm25")


def test_each_column_is_beside_the_other_candidates(table: FieldTable) -> None:
    names = (
        "number:price",
        "missing:price",
        "value:brand=acme",
        "value:stock=true",
        "number:at",
        "value:brand=rare = one",
    )
    assert normalise(table, ROWS, names).T.tolist() == [
        [-1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [-1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0],
    ]
    assert normalise(table, np.array([2, 0]), ("number:price",)).T.tolist() == [[1, -1]]


def test_a_field_that_is_gone_or_another_says_nothing(table: FieldTable) -> None:
    assert not normalise(table, ROWS, ("number:brand", "number:gone", "missing:gone", "value:gone=x")).any()
    assert normalise(table, ROWS, ()).shape == (5, 0)


def test_a_name_may_hold_any_sign() -> None:
    table = FieldTable()
    for row, value in enumerate(["x=1", "y"]):
        table.add(row, {"a=b:c %": value})
    names = name_columns(table, {"a=b:c %": 5}, np.arange(2))
    assert normalise(table, np.arange(2), names).T.tolist() == [[1, 0], [0, 1], [0, 0]]


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e9, 1e9)), max_size=30))
def test_ranks_are_even_and_neither_unit_nor_order_matters(values: list[float]) -> None:
    numbers = np.array(values, np.float64)
    placed = rank_evenly(numbers)
    known = ~np.isnan(numbers)
    assert np.abs(placed).max(initial=0) <= 1
    assert abs(placed[known].sum()) < 1e-9
    assert not placed[~known].any()
    assert np.allclose(placed, rank_evenly(numbers[::-1])[::-1])
    if known.any():
        for one, place in zip(numbers[known], placed[known], strict=True):
            assert ((numbers[known] < one) <= (placed[known] < place)).all()
