"""How sure a mean is."""

from __future__ import annotations

import numpy as np
import scipy.stats

from foundation.arrays import Doubles, Ints


def bootstrap_interval(
    values: Doubles,
    *,
    confidence: float,
    seed: int,
    clusters: Ints | None = None,
    weights: Doubles | None = None,
    draws: int = 2000,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of some values.

    Args:
        values: Shape (n,), at least one.
        confidence: Share of the resampled means inside, such as 0.95.
        clusters: The cluster of each value, shape (n,); whole clusters are resampled. Each value is one when None.
        weights: How much each value weighs, shape (n,); all alike when None.
        draws: How often is resampled.
    """
    places = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    weighed = np.ones(len(values)) if weights is None else weights
    sums, sizes = np.bincount(places, values * weighed), np.bincount(places, weighed)
    if len(sums) == 1:
        return float(sums[0] / sizes[0]), float(sums[0] / sizes[0])
    interval = scipy.stats.bootstrap(
        (sums, sizes),
        lambda total, size, axis: total.sum(axis) / size.sum(axis),
        n_resamples=draws,
        confidence_level=confidence,
        method="percentile",
        paired=True,
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    low, high = sorted((float(interval.low), float(interval.high)))  # rounding may swap ends that are equal
    return low, high
