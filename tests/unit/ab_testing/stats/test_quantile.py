"""Quantiles of latency from buckets, clustered by user."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ab_testing.stats.quantile import BUCKET_WIDTH, MIN_SEARCHES, QuantileStatistics, bound, log_ratio

SHARE = 0.95


def statistics(milliseconds: list[NDArray[np.float64]]) -> QuantileStatistics | None:
    """Statistics of users, each with the milliseconds of their searches."""
    users = [np.floor(np.log(one) / BUCKET_WIDTH).astype(int) for one in milliseconds]
    buckets = Counter(int(bucket) for user in users for bucket in user)
    edge = bound(buckets)
    return QuantileStatistics.of_buckets(buckets, Counter((int((user < edge).sum()), len(user)) for user in users))


def draw(random: np.random.Generator, users: int, between: float) -> list[NDArray[np.float64]]:
    counts = random.geometric(0.1, users)
    return [np.exp(4 + between * random.normal() + 0.5 * random.normal(size=count)) for count in counts]


@given(values=st.lists(st.floats(2, 5000), min_size=MIN_SEARCHES, max_size=400))
def test_the_quantile_lies_within_a_bucket_of_the_exact_one(values: list[float]) -> None:
    ours = statistics([np.array([value]) for value in values])
    assert ours is not None
    ordered = sorted(values)
    low, high = (
        ordered[math.floor(SHARE * len(values)) - 1],
        ordered[min(math.ceil(SHARE * len(values)), len(values) - 1)],
    )
    assert low / 1.0201 <= ours.value <= high * 1.0201
    assert ours.standard_error >= 0
    assert ours.n == len(values)


@pytest.mark.parametrize("between", [0.0, 0.5])
def test_the_standard_error_is_the_spread_over_repeated_experiments(between: float) -> None:
    random = np.random.default_rng(5)
    drawn = [one for _ in range(500) if (one := statistics(draw(random, 300, between)))]
    assert len(drawn) == 500
    spread = np.std([math.log(one.value) for one in drawn])
    assert np.mean([one.standard_error for one in drawn]) == pytest.approx(spread, rel=0.1)


def test_too_few_searches_have_no_quantile() -> None:
    assert statistics([np.array([20.0])] * (MIN_SEARCHES - 1)) is None
    assert statistics([np.full(MIN_SEARCHES, 20.0)]) is None
    assert bound({}) == 0


def test_where_all_latencies_are_alike_the_users_are_taken_to_be_alike() -> None:
    ours = statistics([np.full(10, 20.0)] * 30)
    assert ours is not None
    assert ours.value == pytest.approx(20, rel=0.02)
    assert 0 < ours.standard_error < 0.01


def test_a_ratio_is_a_difference_of_logarithms() -> None:
    effect = log_ratio(QuantileStatistics(100, 0.03, 500, 60), QuantileStatistics(110, 0.04, 500, 60))
    assert (effect.value, effect.standard_error) == pytest.approx((math.log(1.1), 0.05))
    assert 60 <= effect.degrees <= 120
