"""Clicks on queries that nobody learned from: better on average, and surely not worse by much."""

from __future__ import annotations

import numpy as np

from foundation.arrays import Doubles
from foundation.statistics import bootstrap_interval
from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MIN_CHANGE = 0.001
"""A smaller gain is none: so much comes of ties that fall otherwise."""
MIN_LOW_BOUND = -0.01
"""Where the 90% interval must begin. So of candidates worse by this much or more one in twenty passes at most."""
_CONFIDENCE = 0.9


def mean_change(measured: Measurements) -> float:
    """Return the change of nDCG@10, both readings of the clicks and all queries weighed."""
    return float(np.average(measured.comparison.change, weights=measured.comparison.weights))


def change_interval(measured: Measurements) -> tuple[float, float]:
    """Return its 90% interval: a paired bootstrap over clusters of queries."""
    return interval_of(measured, measured.comparison.change, _CONFIDENCE)


def interval_of(measured: Measurements, values: Doubles, confidence: float) -> tuple[float, float]:
    """Return the bootstrap interval of the mean of a value of each judged query, all of them weighed."""
    found = measured.comparison
    clusters = np.unique([measured.clusters[key] for key in found.keys], return_inverse=True)[1]
    return bootstrap_interval(
        values, confidence=confidence, seed=measured.seed, clusters=clusters, weights=found.weights
    )


def check_mean(measured: Measurements) -> GateFinding:
    """Find whether the candidate is better on average."""
    found = measured.comparison
    worst = name_worst(found.keys, found.change)
    return GateFinding("mean change", mean_change(measured), "above", MIN_CHANGE, "not better than the champion", worst)


def check_low_bound(measured: Measurements) -> GateFinding:
    """Find whether it could be worse."""
    found = measured.comparison
    problem = f"could be worse than the champion by more than {-MIN_LOW_BOUND}"
    low, _ = change_interval(measured)
    worst = name_worst(found.keys, found.change)
    return GateFinding("lower 90% bound", low, "above", MIN_LOW_BOUND, problem, worst)
