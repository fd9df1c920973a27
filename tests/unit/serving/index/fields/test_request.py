from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import InvalidRequest
from serving.index.fields.request import FacetRequest, SortKey, parse_facets, parse_sort
from serving.index.fields.values import FieldType

TYPES: dict[str, FieldType] = {"price": "number", "app": "keyword"}


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("price", (SortKey("price"),)),
        ("-price", (SortKey("price", descending=True),)),
        (["app", "-price"], (SortKey("app"), SortKey("price", descending=True))),
        ("relevance", ()),
        (["app", "relevance", "price"], (SortKey("app"),)),
        ([], ()),
    ],
)
def test_a_sort_names_fields_before_relevance(value: Any, keys: tuple[SortKey, ...]) -> None:
    assert parse_sort(value, TYPES) == keys


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ("-prize", "sort", 'did you mean "price"?'),
        (["app", "prize"], "sort[1]", 'did you mean "price"?'),
        ([3], "sort[0]", "must be the name of a field"),
        ("-relevance", "sort", "best first"),
        ({"price": "asc"}, "sort", "must be a field, or"),
        (["app"] * 9, "sort", "at most 8"),
    ],
)
def test_what_is_wrong_with_a_sort_is_named_by_its_place(value: Any, place: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_sort(value, TYPES)
    assert [fault.field for fault in caught.value.fields] == [place]
    assert reason in caught.value.fields[0].reason


def test_each_field_is_counted_once() -> None:
    assert parse_facets(["app", "price", "app"], TYPES) == (FacetRequest("app"), FacetRequest("price"))
    wanted = {"field": "app", "limit": 3, "contains": "wr", "multi": True}
    assert parse_facets([wanted, "app"], TYPES) == (FacetRequest("app", 3, "wr", True),)
    assert parse_facets([], TYPES) == ()


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        (["app", "prize"], "facets[1]", 'did you mean "price"?'),
        ([{"app": 3}], "facets[0].field", "must be the name of a field"),
        ([{"field": "app", "limit": 0}], "facets[0].limit", "from 1 to 1000"),
        ([{"field": "app", "multi": 1}], "facets[0].multi", "true or false"),
        ([{"field": "app", "contain": "x"}], "facets[0].contain", "is not known"),
        ("app", "facets", "must be a list"),
        (["app"] * 21, "facets", "at most 20"),
    ],
)
def test_what_is_wrong_with_facets_is_named_by_its_place(value: Any, place: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_facets(value, TYPES)
    assert [fault.field for fault in caught.value.fields] == [place]
    assert reason in caught.value.fields[0].reason
