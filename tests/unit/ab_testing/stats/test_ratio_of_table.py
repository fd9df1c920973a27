"""The statistics of counted units: exact, in any order, with a limit on what one unit may count."""

import math
from dataclasses import astuple
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.ratio import RatioStatistics

TABLES = st.dictionaries(
    st.tuples(st.integers(-(10**6), 10**9), st.integers(0, 10**6)), st.integers(1, 1000), max_size=20
)
CAPS = st.none() | st.integers(1, 10**6)


@given(table=TABLES, cap=CAPS)
def test_the_order_of_the_table_changes_no_bit(table: dict[tuple[int, int], int], cap: int | None) -> None:
    backwards = dict(reversed(table.items()))
    assert RatioStatistics.of_table(table, cap) == RatioStatistics.of_table(backwards, cap)


@given(table=TABLES, cap=CAPS)
def test_the_sums_are_the_exact_ones_but_for_one_rounding(table: dict[tuple[int, int], int], cap: int | None) -> None:
    exact = [Fraction(0)] * 5
    for (x, y), count in table.items():
        if y:
            weight = Fraction(min(y, cap) if cap else y, y)
            one, other = weight * x, weight * y
            for place, value in enumerate((one, other, one * one, other * other, one * other)):
                exact[place] += count * value
    statistics = RatioStatistics.of_table(table, cap)
    assert astuple(statistics)[1:] == pytest.approx([float(value) for value in exact], rel=1e-12, abs=1e-6)
    assert statistics.n == sum(count for (_, y), count in table.items() if y)


def test_whole_sums_are_whole() -> None:
    table = {(1, 2): 3, (0, 1): 5, (2, 2): 1}
    assert RatioStatistics.of_table(table) == RatioStatistics(9, 5.0, 13.0, 7.0, 21.0, 10.0)


@given(
    units=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=30),
)
def test_a_table_says_what_its_units_say(units: list[tuple[int, int]]) -> None:
    table = {unit: units.count(unit) for unit in units}
    direct = RatioStatistics.of([x for x, _ in units], [y for _, y in units])
    assert astuple(RatioStatistics.of_table(table)) == pytest.approx(astuple(direct))


def test_a_unit_above_the_cap_counts_like_one_at_the_cap() -> None:
    assert RatioStatistics.of_table({(30, 100): 1, (1, 5): 2}, cap=10) == RatioStatistics.of_table(
        {(3, 10): 1, (1, 5): 2}
    )


def test_units_that_were_never_asked_say_nothing() -> None:
    asked = {(4, 1): 10, (5, 1): 3}
    assert RatioStatistics.of_table(asked | {(0, 0): 1000}) == RatioStatistics.of_table(asked)
    assert RatioStatistics.of_table({(0, 0): 3}) == RatioStatistics()


def test_a_scale_turns_millionths_into_money() -> None:
    whole = RatioStatistics.of_table({(2_500_000, 3): 4, (0, 1): 6}, scale=1e-6).estimate()
    assert whole.value == pytest.approx(10 / 18)
    assert whole.standard_error == pytest.approx(
        RatioStatistics.of([2.5] * 4 + [0.0] * 6, [3.0] * 4 + [1.0] * 6).estimate().standard_error
    )


def test_huge_counts_stay_exact() -> None:
    statistics = RatioStatistics.of_table({(10**12 + 1, 1): 10**6, (10**12, 1): 10**6})
    assert statistics.sum_x == float(2 * 10**18 + 10**6)
    assert math.isfinite(statistics.sum_xx)
