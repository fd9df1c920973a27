"""What a list becomes by its events is the same whether they are heard at once or as they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fold.lists import ShownList, adds_up, apply, by_list, recompute
from collector.fold.outcomes import NO_OUTCOME, Outcome
from foundation.contracts import EVENT_TYPES, EventType, FeedbackEvent

SHOWN_AT = datetime(2026, 1, 5, tzinfo=UTC)
LIST = ShownList("q1", SHOWN_AT, {"a": 1, "b": 2, "c": 3}, NO_OUTCOME)
LATENESS_DAYS = 7


def event(number: int, kind: EventType, document_id: str = "a", value: float = 0.0, days: float = 0) -> FeedbackEvent:
    at = SHOWN_AT + timedelta(days=days)
    name = f"event_{value:g}" if kind == "custom" else ""
    return FeedbackEvent("default", f"e{number}", kind, "q1", document_id, "u1", value, at, at, name=name)


def happened(draw: st.DataObject) -> list[FeedbackEvent]:
    what = st.tuples(
        st.sampled_from(EVENT_TYPES), st.sampled_from(["a", "b", "c", "z", ""]), st.integers(1, 5), st.integers(0, 9)
    )
    drawn = draw.draw(st.lists(what, max_size=12))
    return [event(number, *one) for number, one in enumerate(drawn)]


def in_parts(events: Sequence[FeedbackEvent], cuts: Sequence[int]) -> list[Sequence[FeedbackEvent]]:
    borders = [0, *sorted(cuts), len(events)]
    return [events[start:end] for start, end in pairwise(borders)]


@given(st.data())
def test_events_that_add_up_may_be_heard_as_they_come(data: st.DataObject) -> None:
    events = happened(data)
    cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=4))
    known, before = LIST, 0
    for news in in_parts(events, cuts):
        before += len(news)
        if adds_up(known.outcome, news):
            known = apply(known, news, LATENESS_DAYS)
        else:
            known = recompute(LIST, events[:before], LATENESS_DAYS)

    assert known == recompute(LIST, events, LATENESS_DAYS)


def test_custom_events_count_by_their_names_for_a_hit_or_the_whole_list() -> None:
    events = [event(1, "custom", "a", 2.5), event(2, "custom", "", 2.5), event(3, "custom", "c", 1), event(4, "seen")]
    elsewhere = [event(5, "custom", "z", 1), event(2, "custom", "", 2.5), event(6, "custom", "a", 1, days=8)]

    outcome = recompute(LIST, [*events, *elsewhere], LATENESS_DAYS).outcome

    assert outcome.custom == {"event_2.5": (2, 5_000_000), "event_1": (1, 1_000_000)}
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@pytest.mark.parametrize("kind", ["rating", "resolved", "unresolved"])
def test_where_the_last_one_decides_all_must_be_heard(kind: EventType) -> None:
    assert not adds_up(NO_OUTCOME, [event(1, "click"), event(2, kind)])


def test_a_click_after_a_resolution_may_be_what_resolved_it() -> None:
    resolved = recompute(LIST, [event(1, "click", "b"), event(2, "resolved", "", days=2)], LATENESS_DAYS)
    earlier = event(3, "click", "c", days=1)

    assert not adds_up(resolved.outcome, [earlier])
    assert (
        recompute(LIST, [event(1, "click", "b"), event(2, "resolved", "", days=2), earlier], 7).outcome.credited == "c"
    )


def test_events_are_told_by_list() -> None:
    told = by_list([event(1, "click"), event(2, "dwell", value=31)])

    assert [one.id for one in told["q1"]] == ["e1", "e2"]
