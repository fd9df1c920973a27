"""Intervals of shares and ratios of searches that come in clusters, such as those of one user (pure).

Each end is passed with probability `retrainer.diagnosis.finding.LEVEL`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtrit

from foundation.arrays import Doubles, Ints
from retrainer.diagnosis.finding import LEVEL

MIN_CLUSTERS = 10
"""Users, or queries, below which no interval is told."""


class Interval(NamedTuple):
    """A value and what it may be as well."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """Return the interval times a factor of at least 0."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)

    def complement(self) -> Interval:
        """Return the interval of 1 less the value."""
        return Interval(1 - self.value, 1 - self.high, 1 - self.low)


def number_clusters(names: Sequence[Hashable]) -> Ints:
    """Return the number of each name, from 0; equal names share one."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def share_of_independent(hits: float, total: float) -> Interval:
    """Return a share by Clopper and Pearson (1934); numbers need not be whole, as where they stand for clusters."""
    low = float(betaincinv(hits, total - hits + 1, LEVEL)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, total - hits, 1 - LEVEL)) if hits < total else 1.0
    return Interval(hits / total, low, high)


def share_of(hits: Doubles, totals: Doubles, clusters: Ints) -> Interval:
    """Return sum(hits) / sum(totals), a share, for which searches of one cluster count for less than independent ones.

    Clopper and Pearson with the effective number of searches (Korn and Graubard 1998): divided by the design effect,
    which is Kish's for a share of 0 or 1, where no variance can be seen.

    Args:
        hits: Shape (n,), at most `totals`.
    """
    x, y = sum_by(clusters, hits), sum_by(clusters, totals)
    total = float(y.sum())
    value = float(x.sum()) / total
    effect = float((y**2).sum()) / total
    if 0 < value < 1:
        simple = value * (1 - value) / total
        effect = max(standard_error_of_ratio(x, y) ** 2 / simple, 1.0)
    effective = total / effect
    return share_of_independent(value * effective, effective)


def ratio_of(x: Doubles, y: Doubles, clusters: Ints) -> Interval:
    """Return sum(x) / sum(y) with Student's interval by the delta method over clusters.

    Args:
        x: Shape (n,).
        y: Shape (n,); its sum is above 0.
        clusters: Shape (n,), at least two.
    """
    by_cluster = sum_by(clusters, x), sum_by(clusters, y)
    value, count = float(x.sum() / y.sum()), len(by_cluster[0])
    return student(value, standard_error_of_ratio(*by_cluster), count - 1)


def sum_by(clusters: Ints, values: Doubles) -> Doubles:
    """Return the sum of each cluster's values."""
    return np.bincount(clusters, values).astype(np.float64)


def student(value: float, standard_error: float, degrees: float) -> Interval:
    """Return Student's interval of an estimate."""
    half_width = critical(degrees) * standard_error
    return Interval(value, value - half_width, value + half_width)


def critical(degrees: float) -> float:
    """Return how many standard errors each end lies off."""
    return float(-stdtrit(degrees, LEVEL))


def standard_error_of_ratio(x: Doubles, y: Doubles) -> float:
    """Return the standard error of sum(x) / sum(y), whose terms are independent, by the delta method."""
    residual = x - y * (x.sum() / y.sum())
    return math.sqrt(float((residual**2).sum()) * len(x) / (len(x) - 1)) / float(y.sum()) if len(x) > 1 else math.inf
