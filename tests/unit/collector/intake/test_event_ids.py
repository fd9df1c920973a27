"""Another event under the same id is noticed; a retry is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.intake.event_ids import EventIds, count_conflicts
from foundation.contracts import FeedbackEvent

NOW = datetime(2026, 1, 5, tzinfo=UTC)
CLICK = FeedbackEvent("default", "e1", "click", "q1", "a", "u1", 0.0, NOW, NOW)
RETRY = replace(CLICK, at=NOW + timedelta(seconds=1), received_at=NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    "other",
    [
        replace(CLICK, type="seen"),
        replace(CLICK, query_id="q2"),
        replace(CLICK, document_id="b"),
        replace(CLICK, user="u2"),
        replace(CLICK, type="rating", value=4.0),
    ],
)
def test_other_content_under_one_id_is_in_conflict(other: FeedbackEvent) -> None:
    known = EventIds()

    assert known.conflicting([CLICK, RETRY, other, CLICK]) == {2}, "within one request"
    assert known.conflicting([other]) == set(), "nothing is remembered before it is durable"
    known.remember([CLICK])
    assert known.conflicting([RETRY, other, CLICK]) == {1}
    assert count_conflicts([CLICK, RETRY, other], {"e1": CLICK}) == {"e1": 1}


def test_collections_have_ids_of_their_own() -> None:
    known = EventIds()

    assert not known.conflicting(replace(CLICK, collection=name, document_id=name) for name in ("a", "b"))


def test_no_more_ids_are_remembered_than_fit() -> None:
    known = EventIds()
    known.remember(replace(CLICK, id=str(number)) for number in range(50_001))

    assert known.conflicting([replace(CLICK, id="50000", value=1.0)])
    assert not known.conflicting([replace(CLICK, id="0", value=1.0)]), "forgotten; the collector still knows it"
