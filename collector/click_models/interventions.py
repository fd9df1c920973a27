"""What the same document at several ranks of the same query says of the ranks: intervention harvesting (pure).

Index updates, new versions and interleaving move documents about. Between the ranks at which one
document stood for one query, only the rank differs, so its clicks divide as the ranks' click rates
do, whatever its relevance (AllPairs; Agarwal et al. 2019, doi:10.1145/3289600.3291017). Here all
pairs of ranks are used at once, in the likelihood of a row's clicks given their sum.

`shown` and `clicked` are impressions and clicks by row, a query and document, and rank, of shape (n, ranks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MIN_CLICKS = 200
"""Clicks on swapped documents below which nothing is concluded from them."""

_ROUNDS = 25
_MAX_STEP = 1.0
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many pairs of query and document stood at several ranks; how many, with what clicks, at each, (ranks,)."""

    rows: int
    swaps: Floats
    clicks: Floats


@dataclass(frozen=True, slots=True)
class Tilt:
    """By how much clicks fall more gently with rank than some rates do.

    Attributes:
        exponent: The clicks follow rate x rank^exponent; positive where the rates are too steep.
        error: Its standard error; infinite where nothing was swapped.
    """

    exponent: float
    error: float


def swapped(shown: Floats) -> npt.NDArray[np.bool_]:
    """Return which rows of impressions by rank stood at more than one rank, shape (n,)."""
    result: npt.NDArray[np.bool_] = (shown > 0).sum(axis=1) > 1
    return result


def measure_overlap(shown: Floats, clicked: Floats) -> Overlap:
    """Return how many documents were swapped, and the clicks behind each rank."""
    rows = swapped(shown)
    return Overlap(int(rows.sum()), (shown[rows] > 0).sum(axis=0).astype(np.float64), clicked[rows].sum(axis=0))


def fit_tilt(shown: Floats, clicked: Floats, rates: Floats, centre: float = 0.0, precision: float = 0.0) -> Tilt:
    """Return the power of rank by which clicks depart from rates; one dimension, concave, by Newton.

    Args:
        shown: Rows at a single rank say nothing.
        rates: Supposed click rates, each row's up to a factor; shape (n, ranks) or (ranks,).
        centre: The exponent believed beforehand.
        precision: How firmly: the inverse of its variance, 0 for not at all.
    """
    rows = swapped(shown)
    seen, hits = shown[rows] * np.broadcast_to(rates, shown.shape)[rows], clicked[rows]
    depth = np.log(np.arange(1, shown.shape[1] + 1))
    sums = hits.sum(axis=1)
    exponent, information = centre, precision
    for _ in range(_ROUNDS if rows.any() else 0):
        share = seen * np.exp(exponent * depth)
        share /= share.sum(axis=1, keepdims=True)
        mean = share @ depth
        information = float(sums @ (share @ depth**2 - mean**2)) + precision
        score = float((hits @ depth - sums * mean).sum()) - precision * (exponent - centre)
        step = min(max(score / information, -_MAX_STEP), _MAX_STEP) if information > 0 else 0.0
        exponent += step
        if abs(step) < _CLOSE:
            break
    return Tilt(exponent, information**-0.5 if information > 0 else float("inf"))
