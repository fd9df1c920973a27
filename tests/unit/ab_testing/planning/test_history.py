"""Recent searches become present values with their noise; what they do not say is assumed by name."""

from __future__ import annotations

import pytest

from ab_testing.planning.history import AssumedBaseline, assume, baselines_of
from collector.api import RecentWindow
from collector.fold.exposure import OutcomeKey
from collector.fold.signals import OutcomeSums, SearchSignals
from collector.totals.memory import MemoryTotals


def window(days: float, users: int, said: SearchSignals, drafted: SearchSignals | None = None) -> RecentWindow:
    """Return a window in which every second of the users did nothing but search."""
    alone, interleaved = OutcomeSums(), OutcomeSums()
    for number in range(users):
        key = OutcomeKey("", 0, f"user-{number}", 0, "everybody", "", True, False)
        alone.add(key, said if number % 2 else SearchSignals(searches=said.searches))
        alone.add_latency(key, 100.0 + number, said.searches)
        if drafted:
            interleaved.add(key, drafted if number % 2 else drafted._replace(preferred=-drafted.preferred))
    searches = users * said.searches
    return RecentWindow(days, searches, MemoryTotals(alone, 0), MemoryTotals(interleaved, 0))


CLICKED = SearchSignals(searches=2, clicked=1, clicks=1, ratings=1, rated=1, rating_sum=4)


def test_present_values_and_noise_follow_from_the_sums() -> None:
    known = baselines_of([window(28.0, 400, CLICKED)])
    assert known.metrics["click_rate"].value == pytest.approx(0.25)
    assert known.metrics["click_rate"].noise.after(28.0) == pytest.approx(2 * 0.25**2, rel=0.01)
    assert known.history.searches_a_day == pytest.approx(800 / 28)
    assert known.metrics["p95_latency"].value == pytest.approx(480, rel=0.05)
    assert "resolution" not in known.metrics


def test_without_interleaved_lists_the_preference_is_assumed_and_said() -> None:
    known = baselines_of([window(28.0, 400, CLICKED)])
    assert known.metrics["preference"].value is None
    assert "no list was interleaved" in known.assumptions[0]
    assert known.history.lists_differ is None


def test_interleaved_lists_tell_the_preference() -> None:
    drafted = SearchSignals(searches=2, offered=5040, preferred=2520, wins=1, ties=1)
    known = baselines_of([window(28.0, 400, CLICKED, drafted)])
    assert known.assumptions == ()
    assert (known.history.interleaved, known.history.lists_differ, known.history.preference_rate) == (800, 1.0, 0.5)
    assert known.metrics["preference"].noise.after(28.0) == pytest.approx(2 * 0.5**2, rel=0.01)


def test_nobody_and_a_handful_say_nothing() -> None:
    assert baselines_of([]).metrics == {}
    assert baselines_of([window(7.0, 6, CLICKED)]).metrics == {}


def test_a_short_history_says_so() -> None:
    assert "3.0 days" in baselines_of([window(3.0, 400, CLICKED)]).assumptions[-1]


def test_given_figures_stand_for_a_history() -> None:
    known = assume(AssumedBaseline(1000.0, {"click_rate": 0.4, "csat": 0.5}))
    assert set(known.metrics) == {"click_rate", "preference"}
    assert known.metrics["click_rate"].noise.after(7.0) == pytest.approx(1.5 * 0.24)
    assert len(known.assumptions) == 2
