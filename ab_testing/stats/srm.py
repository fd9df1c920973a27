"""Sample ratio mismatch: whether units fell into the arms as the split says.

A mismatch means that assignment, logging or filtering differs between the arms, and that nothing
measured on them can be believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, gammaln, xlogy

ALPHA = 0.001
"""Level of the alarm; a false one stops an honest experiment."""

CONCENTRATION = 100.0
"""Weight of the split in the sequential test's prior, in units."""


def chi_square_p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of the chi-square test, valid for one look; 1 without units.

    Args:
        counts: Units of each arm.
        shares: Intended share of each arm; arms of share 0 are left out.
    """
    observed, expected = _arms(counts, shares)
    wanted = expected * observed.sum()
    if not wanted.any():
        return 1.0
    return float(chdtrc(len(observed) - 1, ((observed - wanted) ** 2 / wanted).sum()))


def log_bayes_factor(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return ln of the Bayes factor against the split, valid at every look.

    The factor is a test martingale under the split: it passes 1 / alpha at any time with probability
    at most alpha (Lindon and Malek, NeurIPS 2022). The prior is Dirichlet around the split.
    """
    observed, expected = _arms(counts, shares)
    prior = CONCENTRATION * expected
    return float(_log_beta(prior + observed) - _log_beta(prior) - xlogy(observed, expected).sum())


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Return whether the sequential test refuses the split at this look."""
    return refuses(log_bayes_factor(counts, shares))


def refuses(log_factor: float, comparisons: int = 1) -> bool:
    """Return whether a Bayes factor refuses the split, as one of so many (Bonferroni)."""
    return log_factor >= math.log(comparisons / ALPHA)


def mismatched_segments(segments: Mapping[str, Sequence[int]], shares: Sequence[float]) -> list[str]:
    """Return the segments whose units do not fit the split, in order; all segments together err by `ALPHA`.

    Args:
        segments: Units of each arm, by segment.
    """
    return [
        name
        for name, counts in sorted(segments.items())
        if refuses(log_bayes_factor(counts, shares), comparisons=len(segments))
    ]


def _arms(counts: Sequence[int], shares: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(counts) != len(shares) or min(counts) < 0 or min(shares) < 0 or sum(shares) <= 0:
        raise ValueError(f"counts {list(counts)} and shares {list(shares)} must pair up and be at least 0")
    weights = np.asarray(shares, dtype=np.float64)
    present = weights > 0
    return np.asarray(counts, dtype=np.float64)[present], weights[present] / weights.sum()


def _log_beta(parameters: NDArray[np.float64]) -> float:
    return float(gammaln(parameters).sum() - gammaln(parameters.sum()))
