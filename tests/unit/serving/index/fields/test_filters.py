from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import AllOf, AnyOf, Equals, Exists, Not, Range, parse_filter
from serving.index.fields.values import FieldType

TYPES: dict[str, FieldType] = {
    "app": "keyword",
    "price": "number",
    "released": "date",
    "open": "boolean",
    "vendor.name": "keyword",
    "all": "keyword",
}


def faults(value: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        parse_filter(value, TYPES)
    return {fault.field: fault.reason for fault in caught.value.fields}


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ({}, AllOf(())),
        ({"app": "writer"}, Equals("app", ("writer",))),
        ({"app": ["writer", None]}, Equals("app", ("writer", None))),
        ({"app": "writer", "open": True}, AllOf((Equals("app", ("writer",)), Equals("open", (True,))))),
        ({"price": {"gte": 10, "lt": 20}}, Range("price", gte=10.0, lt=20.0)),
        ({"released": {"gt": "1970-01-02"}}, Range("released", gt=86_400_000_000)),
        ({"price": None}, Equals("price", (None,))),
        ({"vendor.name": "Acme"}, Equals("vendor.name", ("Acme",))),
        ({"any": [{"open": False}, {"exists": "price"}]}, AnyOf((Equals("open", (False,)), Exists("price")))),
        ({"not": {"all": [{"price": 1}]}}, Not(AllOf((Equals("price", (1.0,)),)))),
        ({"field": {"name": "all", "is": "x"}}, Equals("all", ("x",))),
        ({"field": {"name": "price", "is": {"lte": 1}}}, Range("price", lte=1.0)),
    ],
)
def test_a_filter_reads_as_a_condition(value: Any, condition: Any) -> None:
    assert parse_filter(value, TYPES) == condition


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ([], "filters", "must be an object"),
        ({"any": [{}, {"price": {"gte": "cheap"}}]}, "filters.any[1].price.gte", 'must be a number, is "cheap"'),
        ({"price": "3"}, "filters.price", 'must be a number, is "3"'),
        ({"price": True}, "filters.price", "must be a number, is true"),
        ({"app": ["writer", 3]}, "filters.app[1]", "must be a string"),
        ({"open": "true"}, "filters.open", "must be true or false"),
        ({"released": "soon"}, "filters.released", "ISO 8601"),
        ({"app": [["writer"]]}, "filters.app[0]", "must be a string"),
        ({"prize": 3}, "filters.prize", 'did you mean "price"?'),
        ({"vendor": "Acme"}, "filters.vendor", 'did you mean "vendor.name"?'),
        ({"zzz": 1}, "filters.zzz", "GET /v1/fields"),
        ({"price": {"above": 3}}, "filters.price.above", "there are gt, gte, lt, lte"),
        ({"price": {"gte": None}}, "filters.price.gte", "must be a number, is null"),
        ({"price": {}}, "filters.price", "at least one of"),
        ({"app": {"gte": "a"}}, "filters.app", "only numbers and dates"),
        ({"exists": "prize"}, "filters.exists", 'did you mean "price"?'),
        ({"exists": True}, "filters.exists", "must be the name of a field"),
        ({"all": "x"}, "filters.all", '{"field": {"name": "all", "is": …}}'),
        ({"not": "x"}, "filters.not", '{"field": {"name": "not", "is": …}}'),
        ({"field": {"name": "prize", "is": 1}}, "filters.field.name", 'did you mean "price"?'),
        ({"field": {"name": "price", "is": "x"}}, "filters.field.is", "must be a number"),
        ({"field": "x"}, "filters.field", "must be an object"),
        ({"app": ["x"] * 1001}, "filters.app", "at most 1000"),
        ({"any": [{"app": "x"}] * 101}, "filters.any[99]", "more than 100 conditions"),
        ({"any": [{}] * 101}, "filters.any[99]", "more than 100 conditions"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(value: Any, place: str, reason: str) -> None:
    assert reason in faults(value)[place]


def test_everything_wrong_is_told_at_once() -> None:
    assert set(faults({"price": "x", "any": [{"open": 1}, {"nowhere": 1}]})) == {
        "filters.price",
        "filters.any[0].open",
        "filters.any[1].nowhere",
    }


def test_a_filter_that_is_wrong_all_over_is_given_up_soon() -> None:
    assert len(faults({f"wrong {number}": 1 for number in range(90)})) == 10


def test_deep_nesting_is_refused_before_it_exhausts_anything() -> None:
    value: Any = {"app": "x"}
    for _ in range(60):
        value = {"not": value}
    assert list(faults(value).values()) == ["is nested deeper than 8 levels"]


def test_without_fields_the_message_says_so() -> None:
    with pytest.raises(InvalidRequest, match="have no fields yet"):
        parse_filter({"app": 1}, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*TYPES, "any", "not", "exists", "field", "name", "is", "gte", "lt"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
)


@given(JSON)
def test_any_json_value_is_a_filter_or_refused_by_name(value: Any) -> None:
    refusals = refusals_of(value)
    assert all(refusals), "a refusal names a place"
    assert all(fault.field.startswith("filters") for fields in refusals for fault in fields)


def refusals_of(value: Any) -> list[tuple[FieldFault, ...]]:
    try:
        parse_filter(value, TYPES)
    except InvalidRequest as problem:
        return [problem.fields]
    return []
