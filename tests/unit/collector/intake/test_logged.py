"""What the consumer relies on: a record that passes can be stored in any database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.intake.logged import read_checked
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import event_record, impression_record

AT = datetime(2026, 1, 5, tzinfo=UTC)
IMPRESSION = Impression("default", "q1", "größe", "u1", "v-1", (ShownResult("d1", 1, 0.5),), AT)
EVENT = FeedbackEvent("default", "e1", "dwell", "q1", "d1", "u1", 12.5, AT, AT)

FOREIGN = replace(EVENT, source="ubi/shop", position=3)


def changed(record: Record, **fields: Any) -> Record:
    return Record(record.key, json.dumps(json.loads(record.body) | fields))


def test_impressions_and_events_come_back_as_they_were() -> None:
    assert read_checked(impression_record(IMPRESSION)) == IMPRESSION
    assert read_checked(event_record(EVENT)) == EVENT
    assert read_checked(event_record(FOREIGN)) == FOREIGN


@pytest.mark.parametrize("body", ["", "{", "[]", "7", "null", "{}", '{"kind":"cheese"}', '{"kind":"event"}'])
def test_what_is_neither_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_checked(Record("k", body))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query_id", "x" * 129),
        ("query", 7),
        ("query", "a\x00b"),
        ("query", "ß" * 1000),
        ("unit", "\ud800"),
        ("unit", "x" * 257),
        ("at", "2026-01-05T00:00:00"),
        ("results", [{"id": "d", "rank": 0, "score": 1.0}]),
        ("results", [{"id": "d", "rank": "1", "score": 1.0}]),
        ("results", [{"id": "d", "rank": 1, "score": float("nan")}]),
        ("results", ["d"]),
        ("results", 5),
        ("results", [{"id": "d", "rank": 1, "score": 1.0, "own_ranks": ["1"]}]),
        ("results", [{"id": "d", "rank": 1, "score": 1.0, "own_ranks": [-1]}]),
        ("results", [{"id": "d", "rank": 1, "score": 1.0, "own_ranks": [1] * 9}]),
        ("results", [{"id": "d", "rank": 1, "score": 1.0, "own_ranks": 7}]),
        ("run", -1),
        ("run", 1.0),
        ("run", True),
        ("run", 2**70),
        ("plan_hash", None),
        ("plan_hash", "x" * 65),
        ("first_difference", -1),
        ("first_difference", "2"),
        ("had_evidence", 1),
        ("known", None),
        ("took_ms", -0.5),
        ("took_ms", float("inf")),
        ("took_ms", "fast"),
    ],
)
def test_an_impression_that_cannot_be_stored_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_checked(changed(impression_record(IMPRESSION), **{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x" * 129),
        ("type", "view"),
        ("type", ["click"]),
        ("document_id", None),
        ("user", 5),
        ("value", "5"),
        ("value", True),
        ("value", float("inf")),
        ("at", 3),
        ("received_at", "2026-01-05T00:00:00"),
        ("source", "x" * 129),
        ("position", "3"),
        ("position", 10**9),
    ],
)
def test_an_event_that_cannot_be_stored_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_checked(changed(event_record(EVENT), **{field: value}))
