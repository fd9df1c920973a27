"""Lets a candidate into an experiment, or says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.statistics import bootstrap_interval
from retrainer.data.threshold import MIN_JUDGED
from retrainer.gate.ablation import Contribution
from retrainer.gate.comparison import Comparison

MIN_LOW_BOUND = -0.005
MIN_OVERLAP = 0.3


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether users may see a candidate in an experiment, why in words, and the figures behind it."""

    passed: bool
    reason: str
    metrics: dict[str, Any]


def judge_candidate(
    comparison: Comparison, contributions: Mapping[str, Contribution], clusters: Mapping[str, int], seed: int
) -> Gate:
    """Return whether a candidate may be shown to users.

    Every part must know what it was taught: see `retrainer.gate.ablation`. The whole must be better on average. Its
    lower 90% bound (paired bootstrap over query clusters) must be above -0.005. And it must keep three of ten
    results, for nobody can judge a list that was never shown.

    Args:
        contributions: What each learned part adds to the likelihood of learned clicks, by its name.
        clusters: Cluster number by query key.
    """
    count = len(comparison.keys)
    if count < MIN_JUDGED:
        return Gate(False, f"only {count} held-out queries could be judged; {MIN_JUDGED} are needed", {"judged": count})
    change = comparison.candidate - comparison.champion
    judged = np.array([clusters[key] for key in comparison.keys])
    low, high = bootstrap_interval(change, confidence=0.9, seed=seed, clusters=judged)
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
    metrics |= {f"worth_{part}": round(one.mean, 4) for part, one in contributions.items()}
    passed, reason = _decide(float(change.mean()), low, overlap, count)
    broken = [f"{part} ({one.mean:+.3f} ± {one.error:.3f})" for part, one in contributions.items() if not one.proven]
    if broken:
        passed = False
        reason = f"does not know what it was taught, log likelihood of learned clicks by {', '.join(broken)}; {reason}"
    return Gate(passed, reason, metrics)


def _decide(mean: float, low: float, overlap: float, count: int) -> tuple[bool, str]:
    figures = f"nDCG@10 {mean:+.4f} (90% from {low:+.4f}) on {count} held-out queries"
    if mean <= 0:
        return False, f"not better than the champion: {figures}"
    if low <= MIN_LOW_BOUND:
        return False, f"could be worse than the champion by more than {-MIN_LOW_BOUND}: {figures}"
    if overlap < MIN_OVERLAP:
        return False, f"shows too much that was never shown before: {overlap:.0%} of ten results kept; {figures}"
    return True, f"better on held-out queries: {figures}"
