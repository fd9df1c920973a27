"""Click probability by rank for relevant and for other documents, fitted by expectation maximisation.

The model is affine in relevance (position and trust bias; Vardasbi et al. 2020, arXiv:2008.10242):
a document at rank k is clicked with probability relevant[k] if it is relevant, other[k] if not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foundation.contracts import PRIOR_CURVE, ClickCurve

Floats = npt.NDArray[np.float64]

PRIOR_STRENGTH = 200.0
"""Pseudo-impressions by which the prior curve holds each rank."""

_LOWEST = 1e-4
_HIGHEST = 0.98
_LEAST_RATIO = 1.2


def fit_curve(shown: Floats, clicked: Floats, relevance: Floats, prior: ClickCurve = PRIOR_CURVE) -> ClickCurve:
    """Return the curve under which the clicks are likeliest, held back by the prior.

    One maximisation step: the caller alternates it with new posteriors of relevance.

    Args:
        shown: Impressions by document and rank, shape (n, ranks).
        clicked: Clicks among them, same shape.
        relevance: Posterior probability of relevance by document, shape (n,).
        prior: The curve believed before any click.
    """
    high = _rates(shown, clicked, relevance, np.array(prior.relevant))
    low = _rates(shown, clicked, 1 - relevance, np.array(prior.other))
    low = np.minimum(low, high / _LEAST_RATIO)
    return ClickCurve(tuple(high.tolist()), tuple(low.tolist()))


def log_odds(shown: Floats, clicked: Floats, curve: ClickCurve) -> Floats:
    """Return log likelihood ratios, relevant against not, of shape (n,). See `ClickCurve.log_odds`."""
    high, low = np.array(curve.relevant), np.array(curve.other)
    result: Floats = clicked @ np.log(high / low) + (shown - clicked) @ np.log((1 - high) / (1 - low))
    return result


def overcorrects(shown: Floats, clicked: Floats, curve: ClickCurve) -> bool:
    """Tell whether clicks divided by the curve's examination rise with rank: the curve is too steep.

    Pooled corrected relevance, clicks over expected clicks of a relevant document, must not grow
    with rank, for rankers put the better documents first. Ranks with under 100 impressions are left
    out; the alarm rings when the lower half of the others exceeds the upper half by a tenth.
    """
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
    return np.clip(hits / seen, _LOWEST, _HIGHEST)
