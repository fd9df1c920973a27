"""What a few people's lists may move of the next ranking of the same query."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Evidence
from foundation.packed_evidence import pack
from serving.ranking.click_boost import NO_BOOSTS, ClickBoosts, add_boosts
from serving.ranking.click_boost import read_boosts as read_packed

Floats = npt.NDArray[np.float32]
PLACES = {f"d{rank}": rank - 1 for rank in range(1, 31)}
SCORES = np.linspace(1.0, 0.9, 30, dtype=np.float32)
"""Thirty documents that the text hardly tells apart."""


def at(rank: int, lists: float) -> tuple[float, ...]:
    return tuple(lists * (place == min(rank, CURVE_RANKS)) for place in range(1, CURVE_RANKS + 1))


def lists_that_click(rank: int, people: float, lists: int = 3) -> list[Evidence]:
    """Return the evidence of people who pass over everything down to rank 20 but for one document, and praise it."""
    return [
        Evidence("q", f"d{one}", at(one, lists), at(one, lists), people, satisfied=lists)
        if one == rank
        else Evidence("q", f"d{one}", at(one, lists), at(one, 0))
        for one in range(1, 21)
    ]


def read_boosts(rows: list[Evidence], curve: ClickCurve) -> ClickBoosts:
    return read_packed(next(pack(rows)), curve)


def rank_of(place: int, scores: Floats) -> int:
    return 1 + int(np.count_nonzero(scores > scores[place]))


@pytest.mark.parametrize("rank", range(11, 21))
@pytest.mark.parametrize(("people", "lists", "best"), [(0.5, 3, 6), (1, 3, 6), (2, 6, 4)])
def test_one_person_brings_nothing_from_the_second_page_into_the_top_five_and_two_nothing_into_the_top_three(
    rank: int, people: float, lists: int, best: int
) -> None:
    boosts = read_boosts(lists_that_click(rank, people, lists), PRIOR_CURVE)

    assert rank_of(rank - 1, add_boosts(SCORES, boosts, PLACES)) >= best


def test_several_people_bring_a_document_to_the_top() -> None:
    boosts = read_boosts(lists_that_click(11, 4, lists=4), PRIOR_CURVE)

    assert rank_of(10, add_boosts(SCORES, boosts, PLACES)) == 1


def test_one_click_brings_a_document_up() -> None:
    boosts = read_boosts([Evidence("q", "d4", at(4, 1), at(4, 1), 1)], PRIOR_CURVE)

    assert rank_of(3, add_boosts(SCORES, boosts, PLACES)) == 2


def test_what_many_clicked_stays_above_what_one_person_clicks() -> None:
    many = Evidence("q", "d2", at(2, 20), at(2, 10), 10)
    boosts = read_boosts([many, Evidence("q", "d3", at(3, 1), at(3, 1), 1)], PRIOR_CURVE)

    raised = add_boosts(SCORES, boosts, PLACES)

    assert rank_of(1, raised) == 1


def test_without_evidence_scores_stay_as_they_are() -> None:
    assert add_boosts(SCORES, NO_BOOSTS, PLACES) is SCORES
    elsewhere = read_boosts([Evidence("q", "gone", at(1, 1), at(1, 1), 1)], PRIOR_CURVE)
    assert np.array_equal(add_boosts(SCORES, elsewhere, PLACES), SCORES)
