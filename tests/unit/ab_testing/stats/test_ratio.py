"""The ratio of clustered data and its standard error."""

import math
from dataclasses import astuple
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.ratio import Estimate, RatioStatistics, difference, log_lift

TABLES = st.dictionaries(
    st.tuples(st.integers(-(10**6), 10**9), st.integers(0, 10**6)), st.integers(1, 1000), max_size=20
)
CAPS = st.none() | st.integers(1, 10**6)
UNITS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=30)


def of(units: list[tuple[int, int]]) -> RatioStatistics:
    return RatioStatistics.of([x for x, _ in units], [y for _, y in units])


def skewed_users(random: np.random.Generator, users: int) -> tuple[np.ndarray, np.ndarray]:
    searches = random.geometric(0.25, users)
    clicked = random.binomial(searches, random.beta(1.7, 4.0, users))
    return clicked.astype(float), searches.astype(float)


def test_known_answer_by_hand() -> None:
    # x = 1, 0, 3 of y = 2, 1, 3: R = 2/3, residuals -1/3, -2/3, 1, their squares sum to 14/9,
    # s^2 = 7/9 and SE^2 = s^2 / (n * mean(y)^2) = (7/9) / (3 * 4) = 7/108.
    estimate = of([(1, 2), (0, 1), (3, 3)]).estimate()
    assert estimate.value == pytest.approx(2 / 3)
    assert estimate.standard_error == pytest.approx(math.sqrt(7 / 108))


def test_one_search_each_is_a_proportion() -> None:
    estimate = of([(1, 1)] * 30 + [(0, 1)] * 70).estimate()
    assert estimate.standard_error == pytest.approx(math.sqrt(0.3 * 0.7 / 99))


def test_repeating_every_search_of_a_user_adds_no_certainty() -> None:
    once, tenfold = of([(1, 1), (0, 1), (1, 1), (0, 1)]), of([(10, 10), (0, 10), (10, 10), (0, 10)])
    assert astuple(tenfold.estimate()) == pytest.approx(astuple(once.estimate()))


def test_busy_users_weigh_like_fewer() -> None:
    assert of([(0, 5)] * 30).effective_units == pytest.approx(30)
    assert of([(0, 1)] * 90 + [(0, 910)]).effective_units == pytest.approx(1.2, abs=0.1)
    assert RatioStatistics().effective_units == 0


def test_standard_error_agrees_with_a_bootstrap_over_users() -> None:
    random = np.random.default_rng(11)
    x, y = skewed_users(random, 1500)
    drawn = random.integers(0, len(x), (3000, len(x)))
    bootstrap = (x[drawn].sum(axis=1) / y[drawn].sum(axis=1)).std()
    assert RatioStatistics.of(x, y).estimate().standard_error == pytest.approx(bootstrap, rel=0.04)


def test_standard_error_is_the_spread_over_repeated_experiments() -> None:
    random = np.random.default_rng(12)
    estimates = [RatioStatistics.of(*skewed_users(random, 400)).estimate() for _ in range(1500)]
    spread = np.std([estimate.value for estimate in estimates])
    assert np.mean([estimate.standard_error for estimate in estimates]) == pytest.approx(spread, rel=0.05)


@given(one=UNITS, other=UNITS)
def test_statistics_of_disjoint_units_add_up(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert astuple(of(one) + of(other)) == pytest.approx(astuple(of(one + other)))


@given(units=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=2, max_size=30))
def test_the_standard_error_is_never_imaginary(units: list[tuple[int, int]]) -> None:
    assert of(units).estimate().standard_error >= 0


@pytest.mark.parametrize(
    "sums",
    [
        (-1, 0, 0, 0, 0, 0),
        (2, 0, -1, 0, 1, 0),
        (2, math.nan, 0, 0, 0, 0),
        (2, 0, 0, math.inf, 0, 0),
        (2, 0, 0, -1, 0, 0),
        (1, 3, 0, 1, 0, 0),
        (1, 0, 3, 0, 1, 0),
        (2, 0, 0, 1, 1, 2),
    ],
)
def test_sums_of_no_data_are_refused(sums: tuple[int, float, float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="RatioStatistics"):
        RatioStatistics(*sums)


@pytest.mark.parametrize("statistics", [RatioStatistics(), of([(1, 1)]), of([(0, 0), (0, 0)])])
def test_too_little_data_has_no_ratio(statistics: RatioStatistics) -> None:
    with pytest.raises(ValueError, match="two units and a denominator"):
        statistics.estimate()


def test_difference_adds_the_noise_of_both() -> None:
    degrees = 0.05**4 / (0.03**4 / 9 + 0.04**4 / 20)
    assert astuple(difference(Estimate(0.3, 0.03, 9), Estimate(0.5, 0.04, 20))) == pytest.approx((0.2, 0.05, degrees))


def test_difference_to_a_part_of_the_control() -> None:
    effect = difference(Estimate(0.4, 0.04, 50), Estimate(0.5, 0.03, 50), factor=0.5)
    assert (effect.value, effect.standard_error) == pytest.approx((0.3, math.hypot(0.02, 0.03)))


def test_one_arm_without_noise_leaves_the_degrees_of_the_other() -> None:
    assert difference(Estimate(0.3, 0.0, 9), Estimate(0.5, 0.04, 20)).degrees == pytest.approx(20)
    assert difference(Estimate(0.3, 0.0, 9), Estimate(0.5, 0.0, 20)).degrees == 29
    assert difference(Estimate(0.0, 0.0), Estimate(0.5, 0.04, 20)).degrees == pytest.approx(20)
    assert difference(Estimate(0.3, 0.1), Estimate(0.5, 0.1)).degrees == math.inf


def test_log_lift_is_the_logarithm_of_the_ratio() -> None:
    lift = log_lift(Estimate(0.2, 0.006), Estimate(0.25, 0.01))
    assert lift is not None
    assert (lift.value, lift.standard_error) == pytest.approx((math.log(1.25), 0.05))


@pytest.mark.parametrize(("control", "treatment"), [((0.0, 0.0), (0.2, 0.01)), ((0.2, 0.01), (0.1, 0.02))])
def test_no_lift_is_told_when_a_rate_may_be_zero(control: tuple[float, float], treatment: tuple[float, float]) -> None:
    assert log_lift(Estimate(*control), Estimate(*treatment)) is None


def test_z_without_noise_is_infinite_only_with_an_effect() -> None:
    assert Estimate(-0.2, 0.0).z == -math.inf
    assert Estimate(0.0, 0.0).z == 0.0
    assert Estimate(0.2, 0.1).z == pytest.approx(2.0)


def test_a_lift_has_welch_degrees_of_freedom() -> None:
    lift = log_lift(Estimate(0.2, 0.006, 30.0), Estimate(0.25, 0.01, 12.0))
    assert lift is not None
    assert lift.degrees == pytest.approx(0.0025**2 / (0.03**4 / 30 + 0.04**4 / 12))


def test_a_rate_is_well_above_zero_while_its_squared_error_is_a_tenth_of_it() -> None:
    bound = math.sqrt(0.1) / 1.96
    sure = Estimate(1.0, 0.01)
    assert log_lift(Estimate(1.0, 0.999 * bound), sure) is not None
    assert log_lift(Estimate(1.0, 1.001 * bound), sure) is None
    assert log_lift(sure, Estimate(1.0, 1.001 * bound)) is None


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
