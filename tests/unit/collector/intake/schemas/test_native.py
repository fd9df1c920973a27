"""What an app developer relies on when sending events: good ones taken whole, bad ones named by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.schemas.native import FIELDS, SCHEMA, parse
from collector.intake.schemas.parsed import Taken
from foundation.contracts import EVENT_TYPES, FeedbackEvent
from foundation.errors import FieldFault

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def click(**changes: Any) -> dict[str, Any]:
    given = {"id": "e1", "type": "click", "query_id": "q1", "document_id": "d1"} | changes
    return {name: value for name, value in given.items() if value is not ...}


def accept(value: Any) -> FeedbackEvent:
    parsed = parse(value, "default", NOW)
    assert isinstance(parsed, Taken), f"refused: {parsed}"
    (event,) = parsed.content
    assert isinstance(event, FeedbackEvent), event
    return event


def faulty_fields(value: Any) -> list[str]:
    faults = parse(value, "default", NOW)
    assert isinstance(faults, list), f"accepted: {faults}"
    return [fault.field for fault in faults]


def test_a_click_is_taken_whole() -> None:
    event = accept(click(user="u1", at="2026-01-05T12:30:00+01:00"))

    at = datetime(2026, 1, 5, 11, 30, tzinfo=UTC)
    assert event == FeedbackEvent("default", "e1", "click", "q1", "d1", "u1", 0.0, at, NOW)


def test_an_event_without_id_gets_its_own() -> None:
    first, second = accept(click(id=...)), accept(click(id=...))

    assert first.id != second.id
    assert len(first.id) == 36


def test_an_event_without_time_happened_now() -> None:
    assert accept(click()).at == NOW


@pytest.mark.parametrize("event_type", ["resolved", "unresolved", "abandon"])
def test_events_about_the_list_need_no_document(event_type: str) -> None:
    assert accept({"type": event_type, "query_id": "q1"}).document_id == ""


@pytest.mark.parametrize(
    ("event_type", "value", "taken"),
    [
        ("rating", 1, 1.0),
        ("rating", 5, 5.0),
        ("rating", 4.0, 4.0),
        ("dwell", 0, 0.0),
        ("dwell", 12.5, 12.5),
        ("conversion", 19.9, 19.9),
        ("conversion", ..., 0.0),
        ("conversion", None, 0.0),
    ],
)
def test_values_are_taken(event_type: str, value: Any, taken: float) -> None:
    assert accept(click(type=event_type, value=value)).value == taken


@pytest.mark.parametrize("event_type", ["rating", "dwell", "conversion"])
@pytest.mark.parametrize("value", ["5", True, [], {}, -1, float("nan"), float("inf"), 10**400])
def test_values_of_the_wrong_kind_are_refused(event_type: str, value: Any) -> None:
    assert faulty_fields(click(type=event_type, value=value)) == ["value"]


@pytest.mark.parametrize("value", [0, 6, 3.5, None, ...])
def test_ratings_are_whole_stars(value: Any) -> None:
    assert faulty_fields(click(type="rating", value=value)) == ["value"]


def test_a_dwell_needs_its_seconds() -> None:
    assert faulty_fields(click(type="dwell")) == ["value"]


def test_a_custom_event_has_a_name_and_perhaps_a_document_and_a_worth() -> None:
    event = accept(click(type="custom", name="add_to_wishlist", document_id=..., value=2.5))
    assert (event.type, event.name, event.document_id, event.value) == ("custom", "add_to_wishlist", "", 2.5)
    assert accept(click(type="custom", name="a")).value == 0.0


@pytest.mark.parametrize("name", [..., "", "Wish", "2nd", "add-to-cart", "w" * 33, 7, ["wish"]])
def test_a_custom_event_without_a_fitting_name_is_refused(name: Any) -> None:
    assert faulty_fields(click(type="custom", name=name)) == ["name"]


def test_a_name_without_meaning_is_refused() -> None:
    assert faulty_fields(click(name="wish")) == ["name"]


def test_a_value_without_meaning_is_refused() -> None:
    assert faulty_fields(click(value=3)) == ["value"]


@pytest.mark.parametrize("event_type", ["seen", "click", "rating", "dwell", "conversion"])
def test_events_about_a_document_must_name_it(event_type: str) -> None:
    assert "document_id" in faulty_fields(
        click(type=event_type, document_id=..., value=3 if event_type not in {"seen", "click"} else ...)
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "x" * 129),
        ("id", 7.5),
        ("id", "a\nb"),
        ("query_id", ...),
        ("query_id", None),
        ("query_id", ""),
        ("query_id", "q\x00"),
        ("query_id", "x" * 129),
        ("query_id", ["q1"]),
        ("document_id", "x" * 257),
        ("document_id", "\ud800"),
        ("document_id", {"id": "d1"}),
        ("user", ""),
        ("user", "x" * 257),
        ("user", True),
        ("user", "\x9f"),
        ("type", "view"),
        ("type", ["click"]),
        ("type", ...),
        ("at", "yesterday"),
        ("at", "2026-01-05T12:00:00"),
        ("at", 1767607200),
        ("at", "0001-01-01T00:00:00+23:00"),
        ("at", (NOW + timedelta(minutes=10, seconds=1)).isoformat()),
    ],
)
def test_a_bad_field_is_named(field: str, value: Any) -> None:
    assert faulty_fields(click(**{field: value})) == [field]


def test_a_clock_may_run_a_little_ahead() -> None:
    ahead = NOW + timedelta(minutes=10)

    assert accept(click(at=ahead.isoformat())).at == ahead


def test_an_unknown_field_is_refused_by_name() -> None:
    assert faulty_fields(click(postion=3)) == ["postion"]


def test_everything_wrong_is_said_at_once() -> None:
    assert faulty_fields({"type": "rating", "value": 9, "id": [1]}) == ["id", "query_id", "document_id", "value"]


def test_faults_are_limited_in_number_and_size() -> None:
    faults = parse(click(**{f"{n}" * 999: 1 for n in range(999)}), "default", NOW)

    assert isinstance(faults, list)
    assert len(faults) == 20
    assert all(len(fault.field) <= 128 for fault in faults)


@pytest.mark.parametrize("value", [None, 3, "click", [], True, [click()]])
def test_what_is_no_object_is_refused(value: Any) -> None:
    assert faulty_fields(value) == ["event"]


def test_whole_numbers_are_ids() -> None:
    event = accept({"id": 1, "type": "click", "query_id": 2, "document_id": 3, "user": 4})
    assert (event.id, event.query_id, event.document_id, event.user) == ("1", "2", "3", "4")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(EVENT_TYPES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), json_values))
def test_no_json_value_is_an_exception(value: dict[str, Any]) -> None:
    parsed = parse(value, "default", NOW)

    found = parsed.content if isinstance(parsed, Taken) else parsed
    assert len({type(one) for one in found}) == 1
    assert all(isinstance(one, FeedbackEvent | FieldFault) for one in found)


def test_the_documented_schema_has_the_same_fields() -> None:
    assert tuple(SCHEMA["properties"]) == FIELDS
