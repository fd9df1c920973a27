"""How the results of two versions differ."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrainer.whatif.changes import compare_results

Lists = dict[str, list[str]]
RESULTS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


def test_the_same_results_change_nothing() -> None:
    lists = {"q": ["a", "b"], "r": []}
    found = compare_results(lists, lists, {"q": 3, "r": 1})
    assert (found.unchanged, found.same_first, found.overlap, found.moved) == (1.0, 1.0, 1.0, 0.0)
    assert (found.queries, found.documents) == ([], [])


def test_shares_are_of_searches() -> None:
    found = compare_results({"q": ["a"], "r": ["a"]}, {"q": ["a"], "r": ["b"]}, {"q": 3, "r": 1})
    assert (found.asked, found.searches) == (2, 4)
    assert (found.unchanged, found.same_first, found.overlap) == (0.75, 0.75, 0.75)
    assert found.moved == pytest.approx(0.25)
    assert [(one.document_id, one.before) for one in found.documents] == [("a", 1.0), ("b", 0.0)]
    assert [one.after for one in found.documents] == pytest.approx([0.75, 0.25])


def test_a_swap_of_the_first_two_moves_what_their_ranks_differ() -> None:
    [changed] = compare_results({"q": ["a", "b"]}, {"q": ["b", "a"]}, {"q": 1}).queries
    second = 1 / log2(3)
    assert changed.moved == pytest.approx((1 - second) / (1 + second))


def test_the_largest_changes_come_first_by_searches() -> None:
    before = {name: ["a"] for name in ("often", "seldom", "same")}
    after = {"often": ["b"], "seldom": ["b"], "same": ["a"]}
    found = compare_results(before, after, {"often": 9, "seldom": 2, "same": 50}, most=1)
    assert [one.query for one in found.queries] == ["often"]


def test_no_query_is_a_state_like_any_other() -> None:
    found = compare_results({}, {}, {})
    assert (found.asked, found.searches, found.overlap, found.moved) == (0, 0, 0.0, 0.0)


@given(st.lists(st.tuples(RESULTS, RESULTS, st.integers(1, 50)), min_size=1, max_size=5))
def test_shares_stay_between_zero_and_one_and_swapping_versions_swaps_documents(
    asked: list[tuple[list[str], list[str], int]],
) -> None:
    before: Lists = {str(number): old for number, (old, _, _) in enumerate(asked)}
    after: Lists = {str(number): new for number, (_, new, _) in enumerate(asked)}
    searches = {str(number): count for number, (_, _, count) in enumerate(asked)}
    there, back = compare_results(before, after, searches), compare_results(after, before, searches)
    for found in (there, back):
        for share in (found.unchanged, found.same_first, found.overlap, found.moved):
            assert -1e-9 <= share <= 1 + 1e-9
    assert there.moved == pytest.approx(back.moved)
    assert {(one.document_id, one.before, one.after) for one in there.documents} == {
        (one.document_id, one.after, one.before) for one in back.documents
    }
