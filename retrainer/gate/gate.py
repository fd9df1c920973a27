"""Lets a candidate into an experiment, or says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrainer.data.threshold import MIN_JUDGED
from retrainer.gate.ablation import Contribution
from retrainer.gate.comparison import Comparison

LOWEST_BOUND = -0.005
MIN_OVERLAP = 0.3
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate decided.

    Attributes:
        passed: Whether users may see the candidate in an experiment.
        reason: Why, in words with figures.
        metrics: The figures.
    """

    passed: bool
    reason: str
    metrics: dict[str, Any]


def judge_candidate(
    comparison: Comparison, worth: Mapping[str, Contribution], clusters: Mapping[str, int], seed: int
) -> Gate:
    """Return whether a candidate may be shown to users.

    Every part must know what it was taught: see `retrainer.gate.ablation`. The whole must be better on
    average, its lower 90% bound (paired bootstrap over query clusters) above -0.005, and it must
    keep three of ten results, for nobody can judge a list that was never shown.

    Args:
        worth: What each learned part adds to the likelihood of learned clicks, by its name.
        clusters: Cluster number by query key.
    """
    count = len(comparison.keys)
    if count < MIN_JUDGED:
        return Gate(False, f"only {count} held-out queries could be judged; {MIN_JUDGED} are needed", {"judged": count})
    change = comparison.candidate - comparison.champion
    low, high = bootstrap(change, np.array([clusters[key] for key in comparison.keys]), seed)
    overlap = float(comparison.overlap.mean())
    metrics: dict[str, Any] = {
        "judged": count,
        "champion_ndcg": round(float(comparison.champion.mean()), 5),
        "candidate_ndcg": round(float(comparison.candidate.mean()), 5),
        "change": round(float(change.mean()), 5),
        "low": round(low, 5),
        "high": round(high, 5),
        "overlap": round(overlap, 4),
        "harmed": round(float((change < -0.01).mean()), 4),
    }
    metrics |= {f"worth_{part}": round(one.mean, 4) for part, one in worth.items()}
    passed, reason = _decide(float(change.mean()), low, overlap, count)
    broken = [f"{part} ({one.mean:+.3f} ± {one.error:.3f})" for part, one in worth.items() if not one.proven]
    if broken:
        passed = False
        reason = f"does not know what it was taught, log likelihood of learned clicks by {', '.join(broken)}; {reason}"
    return Gate(passed, reason, metrics)


def bootstrap(
    change: np.ndarray[Any, np.dtype[np.float64]], clusters: np.ndarray[Any, Any], seed: int
) -> tuple[float, float]:
    """Return the 5% and 95% quantiles of the mean change when whole clusters are resampled."""
    _, cluster = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(cluster, change), np.bincount(cluster)
    draws = np.random.default_rng(seed).integers(0, len(sums), (_DRAWS, len(sums)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def _decide(mean: float, low: float, overlap: float, count: int) -> tuple[bool, str]:
    figures = f"nDCG@10 {mean:+.4f} (90% from {low:+.4f}) on {count} held-out queries"
    if mean <= 0:
        return False, f"not better than the champion: {figures}"
    if low <= LOWEST_BOUND:
        return False, f"could be worse than the champion by more than {-LOWEST_BOUND}: {figures}"
    if overlap < MIN_OVERLAP:
        return False, f"shows too much that was never shown before: {overlap:.0%} of ten results kept; {figures}"
    return True, f"better on held-out queries: {figures}"
