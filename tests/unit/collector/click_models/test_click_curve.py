from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.click_models.click_curve import PRIOR_STRENGTH, expected_rates, fit_curve, log_odds, overcorrects
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve

Floats = npt.NDArray[np.float64]

TRUE = ClickCurve(
    tuple(0.9 / rank for rank in range(1, CURVE_RANKS + 1)), tuple(0.25 / rank for rank in range(1, CURVE_RANKS + 1))
)


def test_without_clicks_the_curve_is_the_prior() -> None:
    nothing = np.zeros((3, CURVE_RANKS))

    curve = fit_curve(nothing, nothing, np.array([0.2, 0.5, 0.9]))

    assert curve.relevant == pytest.approx(PRIOR_CURVE.relevant)
    assert curve.other == pytest.approx(PRIOR_CURVE.other)


def test_known_relevance_and_many_lists_give_back_the_curve_that_made_the_clicks() -> None:
    relevance = np.array([1.0, 0.0])
    shown = np.full((2, CURVE_RANKS), 1e6)
    clicked = shown * np.array([TRUE.relevant, TRUE.other])

    curve = fit_curve(shown, clicked, relevance)

    assert curve.relevant == pytest.approx(TRUE.relevant, rel=1e-2)
    assert curve.other == pytest.approx(TRUE.other, rel=1e-2)


def test_the_prior_weighs_as_many_impressions_as_it_says() -> None:
    shown = np.zeros((1, CURVE_RANKS))
    shown[0, 0] = PRIOR_STRENGTH

    curve = fit_curve(shown, np.zeros_like(shown), np.array([1.0]))

    assert curve.relevant[0] == pytest.approx(PRIOR_CURVE.relevant[0] / 2)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_click_always_speaks_for_relevance_and_a_skip_against_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    shown = random.integers(0, 200, (20, CURVE_RANKS)).astype(float)
    clicked = np.floor(shown * random.random(shown.shape))

    curve = fit_curve(shown, clicked, random.random(20))
    one = np.eye(CURVE_RANKS)

    assert (log_odds(one, one, curve) > 0).all()
    assert (log_odds(one, np.zeros_like(one), curve) < 0).all()


def test_the_array_form_of_the_log_odds_is_that_of_the_contract() -> None:
    random = np.random.default_rng(1)
    shown = random.integers(0, 5, (6, CURVE_RANKS)).astype(float)
    clicked = np.floor(shown * random.random(shown.shape))

    found = log_odds(shown, clicked, PRIOR_CURVE)

    expected = [PRIOR_CURVE.log_odds(tuple(seen), tuple(hits)) for seen, hits in zip(shown, clicked, strict=True)]
    assert found == pytest.approx(expected)


def test_the_alarm_rings_for_a_curve_steeper_than_the_clicks() -> None:
    shown = np.full((1, CURVE_RANKS), 1000.0)
    flat = shown * 0.3

    assert overcorrects(shown, flat, TRUE)
    assert not overcorrects(shown, shown * np.array([TRUE.relevant]), TRUE)


def test_the_alarm_is_silent_on_little_evidence() -> None:
    assert not overcorrects(np.full((1, CURVE_RANKS), 5.0), np.full((1, CURVE_RANKS), 2.0), TRUE)


def believe_by_hand(shown: Floats, clicked: Floats, curve: ClickCurve) -> list[float]:
    """Return how likely each document is relevant, written out document by document."""
    ranks = range(shown.shape[1])
    by_rank = [0.5 for _ in ranks]
    relevance = [0.5 for _ in shown]
    for _ in range(10):
        for row, (seen, hits) in enumerate(zip(shown, clicked, strict=True)):
            lists = max(sum(seen), 1.0)
            before = sum(seen[rank] / lists * by_rank[rank] for rank in ranks)
            before = min(max(before, 1e-4), 1 - 1e-4)
            odds = before / (1 - before)
            for rank in ranks:
                high, low = curve.relevant[rank], curve.other[rank]
                odds *= (high / low) ** hits[rank] * ((1 - high) / (1 - low)) ** (seen[rank] - hits[rank])
            relevance[row] = odds / (1 + odds)
        by_rank = [
            (sum(relevance[row] * shown[row, rank] for row in range(len(shown))) + 1) / (sum(shown[:, rank]) + 2)
            for rank in ranks
        ]
    return relevance


@pytest.mark.parametrize("seed", range(5))
def test_expected_rates_lie_between_the_curves_as_clicks_and_ranks_make_likely(seed: int) -> None:
    random = np.random.default_rng(seed)
    shown = random.integers(0, 4, (9, CURVE_RANKS)).astype(float)
    shown[4] = 0
    clicked = np.floor(shown * random.random(shown.shape))

    rates = expected_rates(shown, clicked, TRUE)

    for row, relevance in enumerate(believe_by_hand(shown, clicked, TRUE)):
        mixed = [relevance * high + (1 - relevance) * low for high, low in zip(TRUE.relevant, TRUE.other, strict=True)]
        assert rates[row] == pytest.approx(mixed, rel=1e-6)


def at_own_ranks(clicks: list[float], seen: float = 1000.0) -> tuple[Floats, Floats]:
    """Return impressions and clicks of documents that each stand at one rank only."""
    shown, clicked = np.zeros((len(clicks), CURVE_RANKS)), np.zeros((len(clicks), CURVE_RANKS))
    for rank, rate in enumerate(clicks):
        shown[rank, rank], clicked[rank, rank] = seen, seen * rate
    return shown, clicked


def test_without_swaps_clicks_over_the_curve_must_not_grow_with_rank() -> None:
    follows = [TRUE.relevant[rank] / 2 for rank in range(6)]

    assert not overcorrects(*at_own_ranks(follows), TRUE)
    assert not overcorrects(*at_own_ranks([*follows[:3], *(1.09 * rate for rate in follows[3:])]), TRUE)
    assert overcorrects(*at_own_ranks([*follows[:3], *(1.11 * rate for rate in follows[3:])]), TRUE)


def test_without_swaps_ranks_of_a_hundred_impressions_count_and_four_are_needed() -> None:
    grows = [0.5 * TRUE.relevant[rank] * (1 + rank / 4) for rank in range(4)]

    assert overcorrects(*at_own_ranks(grows, 100.0), TRUE)
    assert not overcorrects(*at_own_ranks(grows, 99.0), TRUE)
    assert not overcorrects(*at_own_ranks(grows[:3], 100.0), TRUE)
