"""Interleaved lists are fair, complete and know how likely each of their places was."""

import random
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.ranking.team_draft import interleave

RANKINGS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def ids(control: Sequence[str], treatment: Sequence[str], k: int, seed: int = 0) -> list[str]:
    return [slot.document_id for slot in interleave(control, treatment, k, seed)]


def draft_literally(control: Sequence[str], treatment: Sequence[str], k: int, coin: random.Random) -> list[str]:
    """Team draft as the paper words it, after the common prefix; an independent oracle."""
    shown = [
        a for i, (a, b) in enumerate(zip(control, treatment, strict=False)) if control[: i + 1] == treatment[: i + 1]
    ]
    picks = [0, 0]
    while len(shown) < k:
        left = [[d for d in ranking if d not in shown] for ranking in (control, treatment)]
        if not left[0] and not left[1]:
            break
        if left[0] and left[1]:
            tied = picks[0] == picks[1]
            team = coin.randrange(2) if tied else int(picks[1] < picks[0])
        else:
            team = 0 if left[0] else 1
        picks[team] += 1
        shown.append(left[team][0])
    return shown[:k]


def test_equal_rankings_are_shown_as_they_are_without_teams() -> None:
    slots = interleave("abc", "abc", 3, seed=1)
    assert [(slot.document_id, slot.team, slot.propensity) for slot in slots] == [
        ("a", "", 1.0),
        ("b", "", 1.0),
        ("c", "", 1.0),
    ]


def test_only_the_longest_common_prefix_earns_no_credit() -> None:
    slots = interleave("abxc", "abyc", 4, seed=3)
    assert [slot.team for slot in slots[:2]] == ["", ""]
    assert {(slot.document_id, slot.team) for slot in slots[2:]} == {("x", "control"), ("y", "treatment")}
    assert [slot.propensity for slot in slots[2:]] == [0.5, 0.5]


def test_the_other_team_fills_when_one_has_no_documents_left() -> None:
    slots = interleave("a", "bcde", 10, seed=0)
    assert sorted(slot.document_id for slot in slots) == ["a", "b", "c", "d", "e"]
    assert [slot.document_id for slot in slots[2:]] == ["c", "d", "e"]
    assert {slot.team for slot in slots[:2]} == {"control", "treatment"}
    assert {slot.team for slot in slots[2:]} == {""}, "what only fills earns no credit"
    assert [slot.propensity for slot in slots] == [0.5, 0.5, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(("control", "treatment"), [("", "ab"), ("ab", "")])
def test_an_empty_ranking_leaves_the_other(control: str, treatment: str) -> None:
    assert ids(control, treatment, 5) == ["a", "b"]


def test_nothing_gives_nothing() -> None:
    assert interleave([], [], 5, seed=0) == []
    assert interleave("ab", "ba", 0, seed=0) == []


@given(control=RANKINGS, treatment=RANKINGS, k=st.integers(0, 10), seed=st.integers(0, 2**64 - 1))
def test_a_list_is_a_selection_of_the_best_of_both(control: list[str], treatment: list[str], k: int, seed: int) -> None:
    slots = interleave(control, treatment, k, seed)
    shown = [slot.document_id for slot in slots]
    assert len(shown) == len(set(shown)) == min(k, len({*control[:k], *treatment[:k]}))
    assert set(shown) <= {*control, *treatment}
    assert all(0 < slot.propensity <= 1 for slot in slots)
    assert interleave(control, treatment, k, seed) == slots


@given(control=RANKINGS, treatment=RANKINGS, k=st.integers(0, 8))
def test_propensities_are_those_of_swapped_teams(control: list[str], treatment: list[str], k: int) -> None:
    def chances(one: list[str], other: list[str]) -> dict[tuple[int, str], float]:
        slots = [list(enumerate(interleave(one, other, k, seed))) for seed in range(12)]
        return {(rank, slot.document_id): slot.propensity for drawn in slots for rank, slot in drawn}

    here, there = chances(control, treatment), chances(treatment, control)
    for place in here.keys() & there.keys():
        assert here[place] == pytest.approx(there[place])


@pytest.mark.parametrize(
    ("control", "treatment"),
    [("abcdef", "bacdef"), ("aspqtu", "bsqput"), ("abcd", "dcba"), ("ab", "cdefg"), ("xabc", "xbca")],
)
def test_propensities_are_the_frequencies_of_a_literal_draft(control: str, treatment: str) -> None:
    coin = random.Random(5)
    drafts = 6000
    seen = Counter(
        place for _ in range(drafts) for place in enumerate(draft_literally(list(control), list(treatment), 5, coin))
    )
    for seed in range(20):
        for rank, slot in enumerate(interleave(control, treatment, 5, seed)):
            assert seen[rank, slot.document_id] / drafts == pytest.approx(slot.propensity, abs=0.035)


def test_disjoint_rankings_get_equal_shares_at_every_rank() -> None:
    control, treatment = [f"c{i}" for i in range(10)], [f"t{i}" for i in range(10)]
    drafts = [interleave(control, treatment, 7, seed) for seed in range(3000)]
    for rank in range(7):
        share = sum(draft[rank].team == "treatment" for draft in drafts) / len(drafts)
        assert share == pytest.approx(0.5, abs=0.035)


def test_twenty_results_take_under_two_milliseconds_at_worst() -> None:
    shared = [f"s{i}" for i in range(10)]
    control = [document for i, s in enumerate(shared) for document in (f"c{i}", s)]
    treatment = [document for i, s in enumerate(shared) for document in (f"t{i}", s)]
    reversed_list = control[::-1]
    for other in (treatment, reversed_list):
        best_s = min(_seconds(control, other, seed) for seed in range(20))
        assert best_s < 0.002


def _seconds(control: list[str], treatment: list[str], seed: int) -> float:
    begin = time.perf_counter()
    interleave(control, treatment, 20, seed)
    return time.perf_counter() - begin


def test_what_both_would_put_next_earns_nobody_credit() -> None:
    for seed in range(20):
        slots = interleave("axbc", "xabc", 4, seed)  # after a and x, both would put b next
        assert [slot.team for slot in slots if slot.document_id == "b"] == [""]
        assert [slot.team for slot in slots[:2]] in (["control", "treatment"], ["treatment", "control"])
