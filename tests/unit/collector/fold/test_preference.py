"""Clicks on competitive slots say whom users prefer, and clicks by position alone prefer nobody."""

from __future__ import annotations

import random

import pytest

from ab_testing.ranking.team_draft import interleave
from collector.fold.preference import MAX_WEIGHT, preference


@pytest.mark.parametrize(
    ("clicked", "expected"),
    [([], 0), ([2], -1), ([3], 1), ([2, 3], 0), ([3, 4], 1), ([1], 0), ([1, 2], -1), ([9], 0), ([3, 3, 2], 0)],
)
def test_clicks_prefer_the_team_with_more_clicked_results(clicked: list[int], expected: int) -> None:
    assert preference(["", "control", "treatment", "treatment"], clicked) == (expected, MAX_WEIGHT // 2)


def test_a_list_without_teams_offers_no_choice() -> None:
    assert preference(["", ""], [1]) is None


def test_a_ranking_that_only_goes_on_where_the_other_ends_offers_no_choice() -> None:
    assert preference([slot.team for slot in interleave("b", "bcdefgh", 10, seed=1)], [2, 3]) is None


@pytest.mark.parametrize(("teams", "weight"), [(["control"], 2520), (["", "", "treatment"], 840)])
def test_a_search_weighs_less_the_longer_its_prefix_is(teams: list[str], weight: int) -> None:
    assert preference(teams, []) == (0, weight)


@pytest.mark.parametrize(
    ("control", "treatment"),
    [
        ("abcdefgh", "hgfedcba"),
        ("abcdefgh", "abcdexyz"),
        ("abcdefgh", "bacdfegh"),
        ("abcdefgh", "stuvwxyz"),
        ("ab", "cdefghij"),
        ("abcdefgh", "b"),
        ("xb", "axbcdefgh"),
    ],
)
def test_clicks_by_position_alone_prefer_nobody(control: str, treatment: str) -> None:
    chances = [1 / (rank + 1) for rank in range(10)]
    coin = random.Random(7)
    outcomes = []
    for seed in range(20_000):
        teams = [slot.team for slot in interleave(control, treatment, 10, seed)]
        clicked = [rank + 1 for rank in range(len(teams)) if coin.random() < chances[rank]]
        found = preference(teams, clicked)
        assert found is not None
        outcomes.append(found.side * found.weight)
    mean = sum(outcomes) / len(outcomes)
    error = (sum(one * one for one in outcomes) / len(outcomes) ** 2) ** 0.5
    assert abs(mean) < 3 * error
