"""Documents stand at the ranks that rules want, and the others keep their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.rules.placement import PlacedPin, place

NAMES = st.sampled_from("abcdefghij")


def pin(name: str, rank: int) -> PlacedPin:
    return PlacedPin(f"of {name}", name, rank)


def test_what_is_pinned_stands_at_its_rank_whether_it_was_found_or_not() -> None:
    placed = place("abcd", [pin("d", 1), pin("x", 3)], 10)
    assert placed == [("d", "of d"), ("a", ""), ("x", "of x"), ("b", ""), ("c", "")]


def test_of_two_at_one_rank_the_first_has_it() -> None:
    assert [name for name, _ in place("ab", [pin("x", 1), pin("y", 1)], 10)] == ["x", "y", "a", "b"]


def test_what_is_wanted_below_the_end_stands_at_the_end() -> None:
    assert [name for name, _ in place("ab", [pin("x", 9), pin("y", 7)], 10)] == ["a", "b", "y", "x"]


def test_a_list_is_no_longer_than_asked_for() -> None:
    assert place("abc", [pin("x", 3)], 2) == [("a", ""), ("b", "")]
    assert place("", [], 5) == []


@given(
    st.lists(NAMES, unique=True),
    st.lists(st.tuples(NAMES, st.integers(1, 12)), unique_by=lambda one: one[0]),
    st.integers(0, 12),
)
def test_each_document_comes_once_and_the_free_ones_keep_their_order(
    listed: list[str], wanted: list[tuple[str, int]], length: int
) -> None:
    pins = [pin(name, rank) for name, rank in wanted]
    placed = place(listed, pins, length)
    names = [name for name, _ in placed]
    free = [name for name, rule in placed if not rule]
    assert len(set(names)) == len(names) <= length
    assert free == [name for name in listed if name not in {one.id for one in pins}][: len(free)]
    assert names == [name for name, _ in place(listed, pins, 100)][:length]


@given(st.integers(1, 30), st.integers(0, 40))
def test_a_rank_that_the_list_reaches_is_kept(rank: int, found: int) -> None:
    names = [name for name, _ in place([f"d{number}" for number in range(found)], [pin("x", rank)], 100)]
    assert names.index("x") + 1 == min(rank, found + 1)
