"""A list is reordered within bounds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.arrays import Doubles
from serving.personal.places import move_within

LISTS = st.lists(st.floats(-5, 5), max_size=40).map(np.array)


@given(LISTS, st.integers(1, 10))
def test_none_moves_further_than_it_may_and_all_stay(wanted: Doubles, most: int) -> None:
    arranged = move_within(wanted, most)
    assert sorted(arranged) == list(range(len(wanted)))
    assert all(abs(place - stood) <= most for place, stood in enumerate(arranged))


@given(LISTS, st.integers(1, 10), st.integers(1, 40))
def test_a_longer_list_begins_as_a_shorter_one(wanted: Doubles, most: int, length: int) -> None:
    assert move_within(wanted[: length + most], most)[:length] == move_within(wanted, most)[:length]


def test_where_the_bound_does_not_bite_scores_decide_and_equal_ones_stay() -> None:
    assert move_within(np.array([1.0, 5.0, 1.0, 9.0]), 9) == [3, 1, 0, 2]


def test_what_may_fall_no_further_stands_before_what_is_wanted_more() -> None:
    assert move_within(np.array([0.0, 1.0, 2.0, 3.0]), 1) == [1, 0, 3, 2]
