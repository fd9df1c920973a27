"""Clicks on competitive slots say whom users prefer."""

from __future__ import annotations

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
    assert preference([slot.team for slot in interleave(["b", "bcdefgh"], 10, seed=1)], [2, 3]) is None


@pytest.mark.parametrize(("teams", "weight"), [(["control"], 2520), (["", "", "treatment"], 840)])
def test_a_search_weighs_less_the_longer_its_prefix_is(teams: list[str], weight: int) -> None:
    assert preference(teams, []) == (0, weight)


@pytest.mark.parametrize(
    ("clicked", "first", "second"),
    [([1], -1, -1), ([2], 1, 0), ([3], 1, 1), ([4], 0, 1), ([1, 3], 0, 0), ([2, 4], 1, 1), ([5], 0, 0)],
)
def test_each_of_two_treatments_is_compared_with_the_control_alone(clicked: list[int], first: int, second: int) -> None:
    shown = ["control", "treatment", "treatment+treatment_2", "treatment_2", ""]
    assert preference(shown, clicked, "treatment") == (first, MAX_WEIGHT)
    assert preference(shown, clicked, "treatment_2") == (second, MAX_WEIGHT)


def test_what_a_treatment_shares_with_the_control_is_no_choice_between_them() -> None:
    shown = ["control+treatment", "treatment_2", "control", "treatment"]
    assert preference(shown, [1], "treatment") == (0, MAX_WEIGHT // 3)
    assert preference(shown, [1], "treatment_2") == (-1, MAX_WEIGHT)
