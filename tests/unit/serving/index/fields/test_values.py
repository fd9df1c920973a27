from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.fields.values import FIELD_TYPES, FieldType, infer_type, read_value, show_value

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (True, "boolean"),
        (3, "number"),
        (0.5, "number"),
        ("2024-02-29", "date"),
        ("2024-01-31T09:30:00Z", "date"),
        ("2024-01-31 09:30", "date"),
        ("2023-02-29", "keyword"),
        ("2024", "keyword"),
        ("20240131", "keyword"),
        ("released 2024-01-31", "keyword"),
        ("", "keyword"),
        (None, None),
        ({"a": 1}, None),
        ([1], None),
    ],
)
def test_the_type_of_a_value_is_told_by_its_form(value: Any, found: FieldType | None) -> None:
    assert infer_type(value) == found


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-02", DAY),
        ("1970-01-01T00:00:01.5", SECOND * 3 // 2),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T01:00+0100", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_dates_are_compared_as_instants_in_utc(text: str, microseconds: int) -> None:
    assert read_value(text, "date") == microseconds


@pytest.mark.parametrize(
    ("value", "field_type"),
    [
        (1, "keyword"),
        ("1", "number"),
        (True, "number"),
        (10**400, "number"),
        (float("nan"), "number"),
        (1, "boolean"),
        ("true", "boolean"),
        (20240131, "date"),
        ("2024-13-01", "date"),
        ("0001-01-01T00:00:00+23:00", "date"),
        ("x" * 513, "keyword"),
        (None, "keyword"),
        ({}, "keyword"),
    ],
)
def test_nothing_is_converted_from_another_type(value: Any, field_type: FieldType) -> None:
    assert read_value(value, field_type) is None


@given(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones() | st.none()).map(str)
)
def test_what_is_shown_of_a_value_reads_the_same(value: Any) -> None:
    for field_type in FIELD_TYPES:
        read = read_value(value, field_type)
        if read is not None:
            assert read_value(show_value(read, field_type), field_type) == read


def test_values_are_shown_as_people_write_them() -> None:
    assert repr(show_value(3.0, "number")) == "3"
    assert show_value(DAY, "date") == "1970-01-02"
    assert show_value(SECOND, "date") == "1970-01-01T00:00:01Z"
