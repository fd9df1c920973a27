from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import InvalidRequest
from serving.index.fields.request import parse_facets
from serving.index.fields.values import FieldType

TYPES: dict[str, FieldType] = {"price": "number", "app": "keyword"}


def test_each_field_is_counted_once() -> None:
    assert parse_facets(["app", "price", "app"], TYPES) == ("app", "price")
    assert parse_facets([], TYPES) == ()


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        (["app", "prize"], "facets[1]", 'did you mean "price"?'),
        ([{"app": 3}], "facets[0]", "must be the name of a field"),
        ("app", "facets", "must be a list"),
        (["app"] * 21, "facets", "at most 20"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(value: Any, place: str, reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_facets(value, TYPES)
    assert [fault.field for fault in caught.value.fields] == [place]
    assert reason in caught.value.fields[0].reason
