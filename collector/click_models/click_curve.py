"""Click probability by rank for relevant and for other documents, fitted by expectation maximisation.

The model is affine in relevance (position and trust bias; Vardasbi et al. 2020, arXiv:2008.10242):
a document at rank k is clicked with probability relevant[k] if it is relevant, other[k] if not.

`shown` and `clicked` are impressions and clicks by document and rank, of shape (n, ranks).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from collector.click_models.interventions import MIN_CLICKS, Tilt, fit_tilt, swapped
from foundation.contracts import PRIOR_CURVE, ClickCurve

Floats = npt.NDArray[np.float64]

PRIOR_STRENGTH = 200.0
"""Pseudo-impressions by which the prior curve holds each rank."""

_MIN_RATE = 1e-4
_MAX_RATE = 0.98
_MIN_RATIO = 1.2
_ROUNDS = 10
_CONFIDENCE = 1.645
_TOLERATED_TILT = 0.1


def fit_curve(shown: Floats, clicked: Floats, relevance: Floats, prior: ClickCurve = PRIOR_CURVE) -> ClickCurve:
    """Return the curve under which the clicks are likeliest, held back by the prior.

    One maximisation step: the caller alternates it with new posteriors of relevance.

    Args:
        relevance: Posterior probability of relevance by document, shape (n,).
        prior: The curve believed before any click.
    """
    high = _rates(shown, clicked, relevance, np.array(prior.relevant))
    low = _rates(shown, clicked, 1 - relevance, np.array(prior.other))
    low = np.minimum(low, high / _MIN_RATIO)
    return ClickCurve(tuple(high.tolist()), tuple(low.tolist()))


def log_odds(shown: Floats, clicked: Floats, curve: ClickCurve) -> Floats:
    """Return log likelihood ratios, relevant against not, of shape (n,). See `ClickCurve.log_odds`."""
    high, low = np.array(curve.relevant), np.array(curve.other)
    result: Floats = clicked @ np.log(high / low) + (shown - clicked) @ np.log((1 - high) / (1 - low))
    return result


def overcorrects(shown: Floats, clicked: Floats, curve: ClickCurve) -> bool:
    """Tell whether the curve falls more steeply with rank than the clicks do.

    Where documents were swapped, their clicks decide: the alarm rings when, with 95% confidence, they
    follow the curve times rank^x with x above 0.1. Under 200 such clicks, clicks divided by the curve
    are compared over ranks: they must not grow with rank, for rankers put the better documents first.
    Ranks with under 100 impressions are then left out, and the alarm rings when the lower half of the
    others exceeds the upper half by a tenth.
    """
    rows = swapped(shown)
    if clicked[rows].sum() < MIN_CLICKS:
        return _grows_with_rank(shown, clicked, curve)
    tilt = measure_tilt(shown[rows], clicked[rows], curve)
    return tilt.exponent - _CONFIDENCE * tilt.error > _TOLERATED_TILT


def measure_tilt(shown: Floats, clicked: Floats, curve: ClickCurve) -> Tilt:
    """Return by how much the clicks on swapped documents fall more gently with rank than the curve."""
    return fit_tilt(shown, clicked, expected_rates(shown, clicked, curve))


def expected_rates(shown: Floats, clicked: Floats, curve: ClickCurve) -> Floats:
    """Return each document's click rates by rank under a curve, between relevant and other; shape (n, ranks).

    A document is relevant as its clicks and the ranks where it stood make likely.
    """
    high, low = np.array(curve.relevant), np.array(curve.other)
    odds = log_odds(shown, clicked, curve)
    standing = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1.0)
    by_rank = np.full(shown.shape[1], 0.5)
    relevance = np.full(len(shown), 0.5)
    for _ in range(_ROUNDS):
        before = np.clip(standing @ by_rank, _MIN_RATE, 1 - _MIN_RATE)
        relevance = expit(odds + logit(before))
        by_rank = (relevance @ shown + 1) / (shown.sum(axis=0) + 2)
    rates: Floats = relevance[:, None] * high + (1 - relevance[:, None]) * low
    return rates


def _grows_with_rank(shown: Floats, clicked: Floats, curve: ClickCurve) -> bool:
    seen, hits = shown.sum(axis=0), clicked.sum(axis=0)
    enough = seen >= 100
    if enough.sum() < 4:
        return False
    corrected = hits[enough] / (seen[enough] * np.array(curve.relevant)[enough])
    half = len(corrected) // 2
    return bool(corrected[half:].mean() > 1.1 * corrected[:half].mean())


def _rates(shown: Floats, clicked: Floats, weight: Floats, prior: Floats) -> Floats:
    seen = weight @ shown + PRIOR_STRENGTH
    hits = weight @ clicked + PRIOR_STRENGTH * prior
    return np.clip(hits / seen, _MIN_RATE, _MAX_RATE)
