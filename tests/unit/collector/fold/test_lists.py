"""How clicks and ratings become counts: in any order, once each, a few lists per user and week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fold.counts import NO_COUNTS, EvidenceCounts, count_votes, difference
from collector.fold.lists import ShownList, in_time
from collector.fold.outcomes import Outcome, outcome_of, satisfaction
from foundation.clock import period_of
from foundation.contracts import CURVE_RANKS, EVENT_TYPES, EventType, FeedbackEvent

SHOWN_AT = datetime(2026, 1, 5, tzinfo=UTC)
RANKS = {"a": 1, "b": 2, "c": 3}
SHOWN_MS = int(SHOWN_AT.timestamp() * 1000)


def event(event_type: EventType, document_id: str = "", value: float = 0.0, **other: Any) -> FeedbackEvent:
    seconds = other.pop("seconds", 0)
    number = other.pop("id", f"{event_type}-{document_id}-{value}-{seconds}")
    at = SHOWN_AT + timedelta(seconds=seconds)
    return FeedbackEvent("default", number, event_type, "q1", document_id, "u1", value, at, at)


def shown(query_id: str, outcome: Outcome | None = None, minutes: int = 0) -> ShownList:
    return ShownList(query_id, SHOWN_AT + timedelta(minutes=minutes), RANKS, outcome or Outcome())


def at_rank(rank: int, count: int = 1) -> tuple[int, ...]:
    return tuple(count if index == rank - 1 else 0 for index in range(CURVE_RANKS))


@pytest.mark.parametrize(
    ("at", "period"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 7, 23, 59, 59, tzinfo=UTC), 0),
        (datetime(1970, 1, 8, tzinfo=UTC), 1),
        (datetime(2026, 1, 5, tzinfo=UTC), 2922),
    ],
)
def test_periods_are_weeks_since_1970(at: datetime, period: int) -> None:
    assert period_of(at) == period


def test_an_event_is_in_time_until_the_last_moment_of_the_lateness() -> None:
    assert in_time(SHOWN_AT + timedelta(days=7), SHOWN_AT, 7)
    assert not in_time(SHOWN_AT + timedelta(days=7, microseconds=1), SHOWN_AT, 7)
    assert in_time(SHOWN_AT - timedelta(hours=1), SHOWN_AT, 7), "a client's clock may run behind"


def test_an_outcome_says_what_the_user_did() -> None:
    outcome = outcome_of(
        RANKS,
        [
            event("click", "c"),
            event("click", "a", seconds=5),
            event("click", "a", seconds=9),
            event("rating", "a", 5, seconds=1),
            event("rating", "a", 2, seconds=2),
            event("dwell", "c", 12.5),
            event("dwell", "c", 40),
            event("conversion", "b", 9.99),
            event("conversion", "b", 9.99, id="another"),
            event("abandon"),
        ],
    )

    assert outcome == Outcome(
        clicked=(1, 3),
        ratings={"a": 2},
        dwell={"c": 40},
        conversions={"b": 2},
        resolved=None,
        abandoned=True,
        clicked_ms=(SHOWN_MS + 5000, SHOWN_MS),
        revenue=2 * 9_990_000,
    )


def test_documents_that_were_not_shown_are_left_out() -> None:
    strangers = [event("click", "z"), event("rating", "z", 5), event("dwell", "z", 99), event("conversion", "z")]

    assert outcome_of(RANKS, strangers) == Outcome()


def test_an_outcome_says_which_hits_were_seen() -> None:
    assert outcome_of(RANKS, [event("seen", "b"), event("seen", "a"), event("seen", "z")]) == Outcome(seen=(1, 2))


def test_an_outcome_of_the_release_before_is_read() -> None:
    written = {name: value for name, value in Outcome(clicked=(2,)).to_json().items() if name != "seen"}

    assert Outcome.from_json(written) == Outcome(clicked=(2,), clicked_ms=(0,))


def test_a_first_click_whose_moment_nobody_kept_gets_that_of_the_next_one() -> None:
    old = Outcome.from_json(Outcome(clicked=(2, 3)).to_json())

    assert old.plus(outcome_of(RANKS, [event("click", "b", seconds=7)])).clicked_ms == (SHOWN_MS + 7000, 0)


def test_one_conversion_is_worth_a_thousand_million_at_most() -> None:
    assert outcome_of(RANKS, [event("conversion", "b", 1e300)]).revenue == 10**15


def test_a_resolution_is_credited_to_the_last_click() -> None:
    clicks = [event("click", "c", seconds=1), event("click", "a", seconds=2)]

    assert outcome_of(RANKS, [*clicks, event("resolved", seconds=9)]).credited == "a"


def test_a_resolution_is_credited_to_the_document_it_names() -> None:
    assert outcome_of(RANKS, [event("click", "a"), event("resolved", "b", seconds=9)]).credited == "b"


def test_a_resolution_naming_something_not_shown_goes_to_the_last_click() -> None:
    assert outcome_of(RANKS, [event("click", "a"), event("resolved", "z", seconds=9)]).credited == "a"


def test_the_last_word_on_resolution_counts() -> None:
    words = [event("click", "a"), event("resolved", seconds=1), event("unresolved", seconds=2)]

    assert (outcome_of(RANKS, words).resolved, outcome_of(RANKS, words).credited) == (False, "")


def test_an_outcome_survives_json() -> None:
    outcome = outcome_of(RANKS, [event("click", "b"), event("rating", "b", 4), event("resolved")])

    assert Outcome.from_json(outcome.to_json()) == outcome


@given(st.data())
def test_neither_order_nor_repetition_changes_an_outcome(data: st.DataObject) -> None:
    kinds = st.tuples(st.sampled_from(EVENT_TYPES), st.sampled_from(["a", "b", "c", "z", ""]), st.integers(1, 5))
    drawn = data.draw(st.lists(kinds, max_size=12))
    events = [event(kind, doc, value, seconds=value, id=str(n)) for n, (kind, doc, value) in enumerate(drawn)]
    repeated = events + (data.draw(st.lists(st.sampled_from(events))) if events else [])

    assert outcome_of(RANKS, data.draw(st.permutations(repeated))) == outcome_of(RANKS, events)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome(), 0),
        (Outcome(clicked=(1,)), 0),
        (Outcome(ratings={"a": 5}), 1),
        (Outcome(ratings={"a": 4}), 1),
        (Outcome(ratings={"a": 3}), 0),
        (Outcome(ratings={"a": 2}), -1),
        (Outcome(ratings={"b": 5}), 0),
        (Outcome(conversions={"a": 1}), 1),
        (Outcome(resolved=True, credited="a"), 1),
        (Outcome(resolved=True, credited="b"), 0),
        (Outcome(dwell={"a": 30.0}), 1),
        (Outcome(dwell={"a": 29.9}), 0),
        (Outcome(dwell={"a": 10.0}), 0),
        (Outcome(dwell={"a": 9.9}), -1),
        (Outcome(dwell={"a": 90.0}, ratings={"a": 1}), -1),
        (Outcome(dwell={"a": 2.0}, conversions={"a": 1}), 1),
        (Outcome(dwell={"a": 2.0}, ratings={"a": 3}), -1),
    ],
)
def test_satisfaction_follows_the_clearest_signal(outcome: Outcome, verdict: int) -> None:
    assert satisfaction(outcome, "a") == verdict


def test_a_vote_counts_what_was_shown_and_clicked_by_rank() -> None:
    counts = count_votes([shown("q1", Outcome(clicked=(2,), ratings={"b": 5}))], 3)

    assert counts["a"] == EvidenceCounts(shown=at_rank(1))
    assert counts["b"] == EvidenceCounts(at_rank(2), at_rank(2), users=1, satisfied=1, rating_sum=5, ratings=1)


def test_ranks_below_the_curve_share_its_last_place() -> None:
    deep = ShownList("q1", SHOWN_AT, {"x": CURVE_RANKS + 15}, Outcome(clicked=(CURVE_RANKS + 15,)))

    assert count_votes([deep], 3)["x"].clicked == at_rank(CURVE_RANKS)


def test_a_user_counts_once_however_often_they_click() -> None:
    counts = count_votes([shown(f"q{n}", Outcome(clicked=(1,)), minutes=n) for n in range(3)], 3)

    assert (counts["a"].clicked, counts["a"].users) == (at_rank(1, 3), 1)


def test_a_list_without_a_word_says_nothing() -> None:
    assert count_votes([shown("q1")], 3) == {}
    assert count_votes([shown("q1", Outcome(abandoned=True))], 3) == {}


def test_a_click_shows_that_its_list_was_looked_at() -> None:
    counts = count_votes([shown("q1", Outcome(clicked=(2,)))], 3)

    assert [counts[document].shown for document in "abc"] == [at_rank(1), at_rank(2), at_rank(3)]
    assert [counts[document].users for document in "abc"] == [0, 1, 0]


def test_a_hit_that_was_seen_was_looked_at_and_no_other() -> None:
    assert count_votes([shown("q1", Outcome(seen=(2,)))], 3) == {"b": EvidenceCounts(shown=at_rank(2))}


def test_a_person_who_goes_on_to_click_elsewhere_looked_at_what_came_before() -> None:
    lists = [shown("q1", minutes=1), shown("q2", minutes=2)]

    counts = count_votes(lists, 3, last_click=SHOWN_AT + timedelta(minutes=2))

    assert counts == {document: EvidenceCounts(shown=at_rank(rank)) for document, rank in RANKS.items()}, (
        "the first list alone"
    )


def test_what_an_agent_passes_over_says_nothing() -> None:
    cited = ShownList("q1", SHOWN_AT, RANKS, Outcome(clicked=(2,), seen=(1, 2, 3)), to_person=False)
    silent = ShownList("q2", SHOWN_AT, RANKS, Outcome(seen=(1,)), to_person=False)

    assert count_votes([cited, silent], 3, last_click=SHOWN_AT + timedelta(days=1)) == {
        "b": EvidenceCounts(at_rank(2), at_rank(2), users=1)
    }


def test_a_word_without_a_click_counts_and_is_no_skip() -> None:
    counts = count_votes([shown("q1", Outcome(ratings={"a": 5}, dwell={"b": 2.0}))], 3)

    assert counts["a"] == EvidenceCounts(users=1, satisfied=1, rating_sum=5, ratings=1)
    assert counts["b"] == EvidenceCounts(dissatisfied=1)


def test_only_the_first_lists_of_a_vote_count() -> None:
    lists = [shown(f"q{n}", Outcome(clicked=(1,) if n >= 2 else ()), minutes=n) for n in range(50)]

    counts = count_votes(reversed(lists), lists_per_user=3, last_click=lists[-1].at)

    assert (counts["a"].shown, counts["a"].clicked) == (at_rank(1, 3), at_rank(1, 1))


def test_lists_of_the_same_moment_count_by_query_id() -> None:
    clicked, passed = shown("q1", Outcome(clicked=(1,))), shown("q2")

    assert count_votes([passed, clicked], 1) == count_votes([clicked, passed], 1) == count_votes([clicked], 1)


few = st.integers(-3, 3)
counts_of = st.builds(
    EvidenceCounts,
    st.tuples(*[few] * CURVE_RANKS),
    st.tuples(*[few] * CURVE_RANKS),
    users=few,
    satisfied=few,
    rating_sum=few,
    conversions=few,
)
tables = st.dictionaries(st.sampled_from("abcd"), counts_of)


@given(before=tables, after=tables)
def test_a_difference_leads_exactly_from_before_to_after(
    before: dict[str, EvidenceCounts], after: dict[str, EvidenceCounts]
) -> None:
    change = difference(before, after)

    arrived = {key: before.get(key, NO_COUNTS).plus(change.get(key, NO_COUNTS)) for key in before.keys() | after}
    assert arrived == {key: after.get(key, NO_COUNTS) for key in arrived}
    assert NO_COUNTS not in change.values()


def test_lists_of_the_last_day_of_the_calendar_can_be_counted() -> None:
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)

    assert in_time(last, last, 7.0)
    assert not in_time(datetime(2026, 1, 5, tzinfo=UTC), last, 7.0)
