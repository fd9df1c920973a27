"""Algolia's filters as filters of the collection."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from serving.http.compatible.algolia_filters import to_filter
from serving.index.fields.filters import parse_filter
from serving.index.fields.values import FieldType

TYPES: dict[str, FieldType] = {"brand": "keyword", "price": "number", "new": "boolean"}
NEVER: dict[str, Any] = {"any": []}


def is_(name: str, value: Any) -> dict[str, Any]:
    return {"field": {"name": name, "is": value}}


@pytest.mark.parametrize(
    ("expression", "filter_"),
    [
        ("brand:acme", is_("brand", "acme")),
        ('brand:"Acme \\"Inc\\"" AND price > 10', {"all": [is_("brand", 'Acme "Inc"'), is_("price", {"gt": 10.0})]}),
        ("price: 10 TO 20", is_("price", {"gte": 10.0, "lte": 20.0})),
        ("NOT brand:acme OR new:true", {"any": [{"not": is_("brand", "acme")}, is_("new", True)]}),
        (
            "(brand:a OR brand:b) AND price<=3",
            {"all": [{"any": [is_("brand", "a"), is_("brand", "b")]}, is_("price", {"lte": 3.0})]},
        ),
        ("price != 3", {"not": is_("price", 3.0)}),
        ("objectID:p1", {"id": "p1"}),
        ("colour:red", NEVER),
        ("price:cheap", NEVER),
    ],
)
def test_expressions_are_read(expression: str, filter_: dict[str, Any]) -> None:
    assert to_filter(expression, [], [], TYPES) == {"all": [filter_]}


def test_lists_hold_as_a_whole_and_inner_lists_by_one() -> None:
    found = to_filter("", ["brand:a", ["brand:b", "new:true"], "brand:-c"], ["price>=1", ["price=2", "price=3"]], TYPES)
    assert found == {
        "all": [
            is_("brand", "a"),
            {"any": [is_("brand", "b"), is_("new", True)]},
            {"not": is_("brand", "c")},
            is_("price", {"gte": 1.0}),
            {"any": [is_("price", 2.0), is_("price", 3.0)]},
        ]
    }
    assert to_filter(" ", [], [], TYPES) is None


@pytest.mark.parametrize(
    ("expression", "facets", "numbers", "place"),
    [
        ("brand", [], [], "filters"),
        ("(brand:a", [], [], "filters"),
        ("brand:a brand:b", [], [], "filters"),
        ("((((((((brand:a))))))))", [], [], "filters"),
        ("", ["brand"], [], "facetFilters"),
        ("", [3], [], "facetFilters"),
        ("", [], ["price"], "numericFilters"),
    ],
)
def test_what_cannot_be_read_is_named(expression: str, facets: list[Any], numbers: list[Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        to_filter(expression, facets, numbers, TYPES)
    assert caught.value.fields[0].field == place


@given(st.lists(st.sampled_from([*"()\"'<>=!:\\ ", "brand", "price", "AND", " OR ", " NOT ", "TO", "3", "1e999"])))
def test_any_expression_is_a_filter_or_refused(pieces: list[str]) -> None:
    try:
        found = to_filter("".join(pieces), [], [], TYPES)
    except InvalidRequest:
        return
    if found is not None:
        parse_filter(found, TYPES)
