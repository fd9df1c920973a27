"""What several demos say together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.demo import MINUTES, DemoEnding, judge


def ending(seed: int, **changes: Any) -> DemoEnding:
    return replace(DemoEnding(seed, "promoted", 1500, 5000, 6.0, 0.04), **changes)


def met(*endings: DemoEnding) -> list[bool]:
    return [bar.met for bar in judge(endings).bars]


def test_better_candidates_promoted_in_time_meet_the_bars() -> None:
    assert met(*map(ending, range(10))) == [True, True, True]


def test_two_of_ten_may_come_late() -> None:
    late = [ending(number, minutes=MINUTES + 1) for number in range(2)]
    assert met(*late, *map(ending, range(8))) == [True, True, True]
    assert met(*late, ending(9, searches=5001), *map(ending, range(7))) == [False, True, True]


def test_one_worse_candidate_promoted_is_too_many() -> None:
    assert met(ending(1, gain=-0.002), *map(ending, range(9))) == [True, True, False]


def test_candidates_that_do_not_come_about_are_told() -> None:
    refused = [ending(number, state="failed", gain=0.0) for number in range(5)]
    assert met(*refused, *map(ending, range(5))) == [True, False, True]
