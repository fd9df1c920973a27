"""Log records say no more than they must, and what older releases wrote is still read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from foundation.contracts import Impression, ShownResult
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import impression_record, read_record

AT = datetime(2026, 1, 5, tzinfo=UTC)
PLAIN = Impression("default", "q1", "toner", "u1", "v-1", (ShownResult("d1", 1, 0.5),), AT)
DRAFTED = replace(
    PLAIN,
    results=(ShownResult("d1", 1, 0.5, "control", 0.5, (1, 3)), ShownResult("d2", 2, 0.4)),
    experiment="e1",
    run=2,
    plan_hash="0123456789abcdef",
    first_difference=1,
    had_evidence=True,
    known=True,
    took_ms=12.5,
)
LATER = {"run", "plan_hash", "first_difference", "had_evidence", "known", "took_ms"}


def test_a_search_outside_experiments_says_nothing_of_them() -> None:
    body = json.loads(impression_record(PLAIN).body)

    assert not LATER & body.keys()
    assert set(body["results"][0]) == {"id", "rank", "score", "team", "propensity"}


def test_everything_that_is_said_is_read_again() -> None:
    record = impression_record(DRAFTED)

    assert json.loads(record.body).keys() >= LATER
    assert read_record(record) == DRAFTED
    assert read_record(impression_record(PLAIN)) == PLAIN


def test_a_record_of_an_older_release_is_read() -> None:
    old = (
        '{"arm":"champion","at":"2026-01-05T00:00:00+00:00","collection":"default","experiment":"","kind":"impression",'
        '"query":"toner","query_id":"q1","results":[{"id":"d1","rank":1,"score":0.5}],"unit":"u1","version":"v-1"}'
    )

    assert read_record(Record("default/q1", old)) == PLAIN
