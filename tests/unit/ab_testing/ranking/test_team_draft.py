"""Interleaved lists are complete, go on as they began, and favour no side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.ranking.team_draft import interleave, rounds
from collector.fold.preference import TREATMENTS, preference

RANKING = st.lists(st.sampled_from("abcdefg"), unique=True, max_size=6)
RANKINGS = st.lists(RANKING, min_size=2, max_size=3)
SEEDS = st.integers(0, 2**64 - 1)


def teams(rankings: Sequence[Sequence[str]], k: int, seed: int = 0) -> dict[str, str]:
    return {slot.document_id: slot.team for slot in interleave(rankings, k, seed)}


def all_lists(rankings: Sequence[Sequence[str]], k: int) -> Iterator[list[tuple[str, str]]]:
    """Yield every list of documents and teams that chance can give, each as likely as the others."""
    for order in product(*(permutations(wanted.items()) for wanted in rounds(rankings))):
        yield list(chain.from_iterable(order))[:k]


def click_sets(k: int) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(range(1, k + 1), size) for size in range(k + 1))


def test_equal_rankings_are_shown_as_they_are_without_teams() -> None:
    for rankings in (["abc", "abc"], ["abc", "abc", "abc"]):
        slots = interleave(rankings, 3, seed=1)
        assert [(slot.document_id, slot.team, slot.propensity) for slot in slots] == [
            ("a", "", 1.0),
            ("b", "", 1.0),
            ("c", "", 1.0),
        ]


def test_what_both_would_put_next_earns_nobody_credit() -> None:
    assert teams(["abxc", "abyc"], 5) == {"a": "", "b": "", "x": "control", "y": "treatment", "c": ""}
    slots = interleave(["abxc", "abyc"], 5, seed=3)
    assert [slot.propensity for slot in slots] == [1.0, 1.0, 0.5, 0.5, 1.0]


def test_a_document_that_two_of_three_want_is_put_once_for_both() -> None:
    found = teams(["xab", "xba", "yab"], 4)
    assert (found["x"], found["y"]) == ("control+treatment", "treatment_2")
    assert (found["a"], found["b"]) == ("control+treatment_2", "treatment")


def test_a_ranking_that_ends_ends_the_credit_and_the_others_fill() -> None:
    slots = interleave(["a", "bcde"], 10, seed=0)
    assert [slot.document_id for slot in slots[2:]] == ["c", "d", "e"]
    assert {slot.document_id: slot.team for slot in slots[:2]} == {"a": "control", "b": "treatment"}
    assert {slot.team for slot in slots[2:]} == {""}
    assert [slot.propensity for slot in slots] == [0.5, 0.5, 1.0, 1.0, 1.0]
    assert set(teams(["ab", "cd", "e"], 5).values()) == {"control", "treatment", "treatment_2", ""}


@pytest.mark.parametrize("rankings", [["", "ab"], ["ab", ""], ["", "ab", ""]])
def test_an_empty_ranking_leaves_the_others(rankings: list[str]) -> None:
    assert teams(rankings, 5) == {"a": "", "b": ""}


def test_nothing_gives_nothing() -> None:
    assert interleave([[], []], 5, seed=0) == []
    assert interleave(["ab", "ba"], 0, seed=0) == []


@given(rankings=RANKINGS, k=st.integers(0, 10), seed=SEEDS)
def test_a_list_is_whole_and_one_of_the_equally_likely(rankings: list[list[str]], k: int, seed: int) -> None:
    slots = interleave(rankings, k, seed)
    shown = [slot.document_id for slot in slots]
    assert len(shown) == len(set(shown)) == min(k, len({*chain(*rankings)}))
    assert [(slot.document_id, slot.team) for slot in slots] in all_lists(rankings, k)


@given(rankings=RANKINGS, k=st.integers(0, 10), more=st.integers(0, 10), seed=SEEDS)
def test_a_longer_list_begins_with_the_shorter_one(rankings: list[list[str]], k: int, more: int, seed: int) -> None:
    longer = interleave([ranking[: k + more] for ranking in rankings], k + more, seed)
    assert longer[:k] == interleave([ranking[:k] for ranking in rankings], k, seed)


@given(rankings=RANKINGS, k=st.integers(1, 6))
def test_clicks_by_position_alone_prefer_nobody_exactly(rankings: list[list[str]], k: int) -> None:
    drawn = [[team for _, team in shown] for shown in all_lists(rankings, k)]
    for treatment in TREATMENTS[: len(rankings) - 1]:
        for clicked in click_sets(min(k, 4)):
            found = [preference(one, clicked, treatment) for one in drawn]
            assert sum(one.side * one.weight for one in found if one) == 0


@given(rankings=RANKINGS, k=st.integers(1, 6))
def test_propensities_are_the_shares_of_all_lists(rankings: list[list[str]], k: int) -> None:
    drawn = list(all_lists(rankings, k))
    at = Counter((rank, document) for shown in drawn for rank, (document, _) in enumerate(shown))
    for rank, slot in enumerate(interleave(rankings, k, seed=0)):
        assert slot.propensity == pytest.approx(at[rank, slot.document_id] / len(drawn))


@pytest.mark.parametrize("rankings", [["abcd", "dcba"], ["abc", "xbc", "yzc"]])
def test_seeds_draw_all_orders_equally_often(rankings: list[str]) -> None:
    drawn = Counter("".join(teams(rankings, 4, seed)) for seed in range(6000))
    expected = Counter("".join(document for document, _ in shown) for shown in all_lists(rankings, 4))
    lists = sum(expected.values())
    for shown, count in expected.items():
        assert drawn[shown] / 6000 == pytest.approx(count / lists, abs=0.03)
    assert drawn.keys() == expected.keys()
