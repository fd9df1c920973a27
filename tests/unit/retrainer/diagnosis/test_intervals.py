"""Intervals cover what they should, for searches that resemble each other too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrainer.diagnosis.intervals import number_clusters, ratio_of, share_of, share_of_independent


def test_clopper_and_pearson_as_published() -> None:
    """Of 20 with no hit, the upper end p solves (1 - p)**20 = 0.01."""
    assert share_of_independent(0, 20) == pytest.approx((0.0, 0.0, 1 - 0.01 ** (1 / 20)))
    assert share_of_independent(20, 20) == pytest.approx((1.0, 0.01 ** (1 / 20), 1.0))


@given(st.integers(1, 500), st.floats(0, 1))
def test_a_share_lies_in_its_interval(total: int, share: float) -> None:
    value, low, high = share_of_independent(share * total, total)
    assert 0 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 1


@pytest.mark.parametrize("correlation", [0.02, 0.3])
def test_both_ends_are_passed_rarely_where_searches_of_a_user_resemble_each_other(correlation: float) -> None:
    random = np.random.default_rng(3)
    clusters = np.repeat(np.arange(150), 6)
    missed = 0
    for _ in range(400):
        chances = random.beta(0.2 * (1 / correlation - 1), 0.8 * (1 / correlation - 1), 150)
        hits = (random.random(len(clusters)) < chances[clusters]).astype(np.float64)
        _, low, high = share_of(hits, np.ones(len(hits)), clusters)
        missed += not low <= 0.2 <= high
    assert missed <= 20


def test_users_that_always_agree_count_once() -> None:
    clusters = np.repeat(np.arange(20), 50)
    none = np.zeros(1000)
    assert share_of(none, np.ones(1000), clusters).high == pytest.approx(share_of_independent(0, 20).high)


def test_a_ratio_of_clusters_is_the_delta_method() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 4.0, 4.0])
    value, low, high = ratio_of(x, y, np.arange(4))
    assert value == pytest.approx(10 / 12)
    assert high - value == pytest.approx(value - low)


def test_equal_names_share_a_number() -> None:
    assert number_clusters(["b", "a", "b"]).tolist() == [0, 1, 0]
