"""Wrong clocks of clients do not move their events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.clock_skew import TOLERATED, clock_skew
from collector.intake.schemas import native
from collector.intake.schemas.parsed import Taken
from foundation.contracts import FeedbackEvent
from foundation.errors import InvalidRequest

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
minutes = st.floats(-600, 600).map(lambda count: timedelta(minutes=count))


def parsed(at: datetime, skew: timedelta) -> FeedbackEvent:
    value = {"type": "click", "query_id": "q", "document_id": "d", "at": at.isoformat()}
    taken = native.parse(value, "default", NOW, skew)
    assert isinstance(taken, Taken)
    (event,) = taken.content
    assert isinstance(event, FeedbackEvent)
    return event


@given(wrong=minutes, ago=st.floats(0, 3600).map(lambda count: timedelta(seconds=count)))
def test_an_event_keeps_its_age_however_wrong_the_clock(wrong: timedelta, ago: timedelta) -> None:
    skew = clock_skew((NOW + wrong).isoformat(), NOW)
    event = parsed(NOW + wrong - ago, skew)
    assert abs((NOW - ago) - event.at) <= TOLERATED


def test_the_way_of_a_request_is_no_skew() -> None:
    assert clock_skew((NOW - timedelta(seconds=1.5)).isoformat(), NOW) == timedelta()
    assert clock_skew(None, NOW) == timedelta()


def test_zones_are_understood() -> None:
    assert clock_skew("2026-01-05T13:00:00+01:00", NOW) == timedelta()


@pytest.mark.parametrize("given", ["", "yesterday", "2026-01-05T10:00:00", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_moment_is_refused_by_name(given: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        clock_skew(given, NOW)
    assert [fault.field for fault in refusal.value.fields] == ["sent_at"]
