"""Values become JSON, or say that they cannot."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickloop.cli.importing.formats.json_values import plain

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)))
def test_everything_plain_is_json(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_durations_are_seconds() -> None:
    assert plain({"for": timedelta(minutes=2)}) == {"for": 120.0}


def test_bytes_are_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        plain([b"x"])


def test_decimals_of_more_digits_than_a_number_keeps_are_text() -> None:
    assert plain([Decimal("2.50"), Decimal("12345678901234567890.12")]) == [2.5, "12345678901234567890.12"]
