from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from collector.click_models.intervention_harvesting import (
    FOLDS,
    PRIOR,
    HarvestedCurve,
    assign_folds,
    harvest_interventions,
)
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE

Floats = npt.NDArray[np.float64]

RANKS = np.arange(1, CURVE_RANKS + 1)
THETA = 1 / RANKS
TRUSTING = (0.95 * THETA**0.5, 0.6 * THETA**1.5)
UNTRUSTING = (0.9 * THETA, 0.1 * THETA)


def draw(curves: tuple[Floats, Floats], grades: list[float], seed: int = 0, lists: int = 60) -> tuple[Floats, Floats]:
    """Return impressions and clicks of 400 queries with ten documents, each at up to three ranks."""
    random = np.random.default_rng(seed)
    relevance = random.choice(grades, (400, 10), p=[0.7, *[0.3 / (len(grades) - 1)] * (len(grades) - 1)])
    shown = np.zeros((400, 10, CURVE_RANKS))
    for _ in range(3):
        order = np.argsort(np.argsort(-(relevance + random.normal(0, 0.5, relevance.shape))))
        shown[np.arange(400)[:, None], np.arange(10), order] += lists / 3
    high, low = curves
    chance = relevance[:, :, None] * high + (1 - relevance[:, :, None]) * low
    clicked = random.binomial(shown.astype(int), chance).astype(float)
    return shown.reshape(-1, CURVE_RANKS), clicked.reshape(-1, CURVE_RANKS)


def harvesting_queries(shown: Floats, clicked: Floats) -> HarvestedCurve:
    return harvest_interventions(shown, clicked, np.repeat(assign_folds(400), 10))


def test_users_who_trust_high_ranks_are_seen_through() -> None:
    found = harvesting_queries(*draw(TRUSTING, [0.0, 1.0]))

    assert found.family == "trust"
    assert found.theta[:10] == pytest.approx(THETA[:10] ** 0.5, abs=0.05)
    assert found.curve.other[:5] == pytest.approx(TRUSTING[1][:5], abs=0.03)


def test_the_simplest_family_is_kept_where_trust_plays_no_part() -> None:
    found = harvesting_queries(*draw(UNTRUSTING, [0.0, 1.0]))

    assert found.family == "position"
    assert found.theta[:10] == pytest.approx(THETA[:10], abs=0.03)


def test_documents_that_are_more_or_less_relevant_are_told_from_those_that_are_or_are_not() -> None:
    found = harvesting_queries(*draw(UNTRUSTING, [0.0, 0.25, 0.5, 0.75, 1.0], lists=150))

    assert found.family == "graded position"
    assert found.held_out["graded position"] > found.held_out["position"] > found.held_out[PRIOR]


def test_errors_lie_within_three_standard_errors_and_those_are_small() -> None:
    found = harvesting_queries(*draw(TRUSTING, [0.0, 1.0]))

    error = np.abs(found.theta - THETA**0.5)[1:10]
    assert (error < 3 * found.errors[1:10] + 0.01).all()
    assert found.errors[1:10].max() < 0.03


@pytest.mark.parametrize("swapped_clicks", [0.0, 199.0])
def test_too_few_swapped_clicks_leave_the_prior_and_say_how_few(swapped_clicks: float) -> None:
    shown, clicked = np.zeros((2, FOLDS, CURVE_RANKS))
    shown[0, :2], clicked[0, 0] = 500, swapped_clicks

    found = harvest_interventions(shown, clicked, np.arange(FOLDS))

    assert found.family == PRIOR
    assert found.curve == PRIOR_CURVE
    assert np.isnan(found.errors).all()
    assert (found.overlap.rows, found.overlap.clicks.sum()) == (1, swapped_clicks)


def test_folds_are_of_one_size_and_always_the_same() -> None:
    folds = assign_folds(103)

    assert sorted(np.bincount(folds).tolist()) == [20, 20, 21, 21, 21]
    assert (folds == assign_folds(103)).all()
