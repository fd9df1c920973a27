"""What a search says by what its user did, and by what its unit asks next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.fold.lists import ShownList
from collector.fold.outcomes import NO_OUTCOME, Outcome
from collector.fold.signals import NO_SIGNALS, SIGNALS, Asked, SearchSignals, latency_bucket, signals_of

AT = datetime(2026, 1, 5, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1000)
RANKS = {"a": 1, "b": 2, "c": 3}
ASKED = Asked(AT, "q1", "toner")


def said(
    outcome: Outcome, following: Asked | None = None, teams: tuple[str, ...] = (), ranks: dict[str, int] = RANKS
) -> dict[str, int]:
    """Return the signals of a list that are not 0, but for its own count."""
    signals = signals_of(ShownList("q1", AT, ranks, outcome, teams=teams), ASKED, following)
    assert signals.searches == 1
    return {name: value for name, value in signals._asdict().items() if value and name != "searches"}


def after(query_key: str, **later: float) -> Asked:
    return Asked(AT + timedelta(**later), "q2", query_key)


def test_silence_is_abandonment() -> None:
    assert said(NO_OUTCOME) == {"abandoned": 1}
    assert said(Outcome(seen=(1,))) == {"abandoned": 1}


def test_an_empty_list_found_nothing() -> None:
    assert said(NO_OUTCOME, ranks={}) == {"abandoned": 1, "zero_results": 1}


@pytest.mark.parametrize(
    ("outcome", "signals"),
    [
        ({"clicked": (1, 3), "clicked_ms": (9, 9)}, {"clicked": 1, "clicks": 2, "clicked_first": 1}),
        ({"clicked": (2,), "clicked_ms": (9,), "abandoned": True}, {"clicked": 1, "clicks": 1}),
        ({"ratings": {"a": 5, "b": 2}}, {"rated": 1, "ratings": 2, "rating_sum": 7, "low_ratings": 1, "successful": 1}),
        ({"ratings": {"a": 3}, "abandoned": True}, {"rated": 1, "ratings": 1, "rating_sum": 3, "abandoned": 1}),
        (
            {"conversions": {"b": 2}, "revenue": 7},
            {"converted": 1, "conversions": 2, "revenue": 7, "successful": 1},
        ),
        ({"resolved": True}, {"resolved": 1, "successful": 1}),
        ({"resolved": False}, {"unresolved": 1, "abandoned": 1}),
        ({"dwell": {"b": 3.0}}, {"abandoned": 1}),
    ],
)
def test_what_a_user_did_is_counted(outcome: dict[str, Any], signals: dict[str, int]) -> None:
    assert said(Outcome(**outcome)) == signals


def test_the_first_click_that_satisfied_is_timed() -> None:
    clicks: dict[str, Any] = {"clicked": (1, 2, 3), "clicked_ms": (AT_MS + 1000, AT_MS + 9000, AT_MS + 4000)}

    timed = said(Outcome(**clicks, dwell={"a": 2.0, "b": 60.0}, conversions={"c": 1}))
    unknown = said(Outcome(clicked=(1,), clicked_ms=(0,), dwell={"a": 60.0}))
    early = said(Outcome(clicked=(1,), clicked_ms=(AT_MS - 5,), dwell={"a": 60.0}))

    assert (timed["success_ms"], timed["timed_successes"]) == (4000, 1)
    assert "timed_successes" not in unknown
    assert ("success_ms" in early, early["timed_successes"]) == (False, 1)


@pytest.mark.parametrize(
    ("following", "reformulated"),
    [
        (None, False),
        (after("ink", seconds=120), True),
        (after("ink", seconds=121), False),
        (after("toner", seconds=60), False),
    ],
)
def test_a_quick_other_query_reformulates(following: Asked | None, *, reformulated: bool) -> None:
    assert ("reformulated" in said(NO_OUTCOME, following)) is reformulated
    assert "reformulated" not in said(Outcome(clicked=(1,), clicked_ms=(9,)), following)


@pytest.mark.parametrize(
    ("following", "holds"),
    [
        (None, True),
        (after("toner", minutes=30), True),
        (after("toner", minutes=31), False),
        (after("toner", days=3), False),
        (after("toner", days=3, seconds=1), True),
        (after("ink", hours=5), True),
    ],
)
def test_a_resolution_holds_unless_the_same_is_asked_again(following: Asked | None, *, holds: bool) -> None:
    found = said(Outcome(resolved=True), following)

    assert (found.get("resolved", 0), found.get("unresolved", 0)) == (int(holds), int(not holds))


def test_an_interleaved_search_prefers_by_its_weight() -> None:
    won, lost = Outcome(clicked=(3,), clicked_ms=(9,)), Outcome(clicked=(2,), clicked_ms=(9,))

    found = [said(one, teams=("", "control", "treatment")) for one in (won, lost, NO_OUTCOME)]

    names = ("preferred", "offered", "wins", "losses", "ties")
    assert [[one.get(name, 0) for name in names] for one in found] == [
        [1260, 1260, 1, 0, 0],
        [-1260, 1260, 0, 1, 0],
        [0, 1260, 0, 0, 1],
    ]


def test_a_search_of_three_rankings_prefers_for_each_treatment() -> None:
    shown = ShownList("q1", AT, RANKS, Outcome(clicked=(1,), clicked_ms=(9,)), teams=("treatment_2", "control", ""))
    names = ("preferred", "offered", "wins", "losses", "ties")

    found = signals_of(replace(shown, rankings=3), ASKED, None)._asdict()

    assert [found[name] for name in names] == [0, 1260, 0, 0, 1]
    assert [found[f"{name}_2"] for name in names] == [2520, 2520, 1, 0, 0]
    assert not any(signals_of(replace(shown, rankings=2), ASKED, None)._asdict()[f"{name}_2"] for name in names)


def test_signals_add_up() -> None:
    one, other = SearchSignals(*range(len(SIGNALS))), SearchSignals(searches=1, revenue=-5)

    assert one.plus(other).minus(one) == other
    assert one.minus(one) == NO_SIGNALS


@pytest.mark.parametrize(("took_ms", "bucket"), [(1.0, 0), (1.03, 1), (100.0, 232), (0.5, -36)])
def test_buckets_of_latencies_are_two_percent_wide(took_ms: float, bucket: int) -> None:
    assert latency_bucket(took_ms) == bucket
