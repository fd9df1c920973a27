from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.click_models.interventions import fit_tilt, measure_overlap
from foundation.contracts import CURVE_RANKS

RANKS = np.arange(1, CURVE_RANKS + 1)
EVEN = np.ones(CURVE_RANKS)


@given(st.floats(-2.0, 1.0), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_clicks_that_follow_a_power_of_rank_give_its_exponent_whatever_the_relevance(eta: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    shown = random.integers(0, 50, (30, CURVE_RANKS)).astype(float)
    attraction = random.random((30, 1)) * 0.01 + 0.001

    found = fit_tilt(shown, shown * attraction * RANKS**eta, EVEN)

    assert found.exponent == pytest.approx(eta, abs=1e-6)


def test_without_swaps_nothing_is_known() -> None:
    shown = np.eye(CURVE_RANKS) * 100

    found = fit_tilt(shown, shown * 0.5, EVEN)

    assert found.exponent == 0
    assert found.error == float("inf")


def test_four_times_the_clicks_halve_the_error() -> None:
    shown = np.full((5, CURVE_RANKS), 100.0)
    clicked = shown * 0.3 / RANKS

    once, often = fit_tilt(shown, clicked, EVEN), fit_tilt(4 * shown, 4 * clicked, EVEN)

    assert often.error == pytest.approx(once.error / 2)


def test_the_error_is_that_of_repeated_samples() -> None:
    random = np.random.default_rng(4)
    shown = np.full((20, CURVE_RANKS), 40.0)
    rates = 0.2 / RANKS

    found = [fit_tilt(shown, random.binomial(40, rates, shown.shape).astype(float), EVEN) for _ in range(300)]

    assert np.std([one.exponent for one in found]) == pytest.approx(found[0].error, rel=0.2)


def test_a_prior_holds_the_exponent_while_clicks_are_few() -> None:
    shown = np.zeros((1, CURVE_RANKS))
    shown[0, :2] = 10
    clicked = np.where(shown > 0, 2.0, 0.0)

    assert fit_tilt(shown, clicked, EVEN, -0.75, 1000.0).exponent == pytest.approx(-0.75, abs=0.01)


def test_only_documents_at_several_ranks_are_swaps() -> None:
    shown = np.zeros((3, CURVE_RANKS))
    shown[0, 0], shown[1, 0], shown[1, 4], shown[2, 4] = 9, 5, 5, 7
    clicked = np.floor(shown / 2)

    found = measure_overlap(shown, clicked)

    assert found.rows == 1
    assert found.swaps.tolist()[:5] == [1, 0, 0, 0, 1]
    assert found.clicks.tolist()[:5] == [2, 0, 0, 0, 2]
