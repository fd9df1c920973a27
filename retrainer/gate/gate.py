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
_WORST = 3
"""So many of the queries that lose most are named in a refusal."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether users may see a candidate in an experiment, why in words, and the figures behind it."""

    passed: bool
    reason: str
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Check:
    """One thing that must hold: its number must be above its bound."""

    name: str
    problem: str
    value: float
    bound: float

    @property
    def failed(self) -> bool:
        return self.value <= self.bound

    def tell(self) -> str:
        return f"{self.problem} ({self.name} {self.value:+.4f}, must be above {self.bound:+.4f})"


def judge_candidate(
    comparison: Comparison, contributions: Mapping[str, Contribution], clusters: Mapping[str, str], seed: int
) -> Gate:
    """Return whether a candidate may be shown to users.

    Every part must know what it was taught: see `retrainer.gate.ablation`. The whole must be better on average, by
    both readings of the clicks, weighed as `retrainer.gate.comparison` does. Its lower 90% bound (paired bootstrap
    over query clusters) must be above -0.005. And it must keep three of ten results, for nobody can judge a list that
    was never shown.

    Args:
        contributions: What each learned part adds to the likelihood of learned clicks, by its name.
        clusters: Cluster by query key.
    """
    count = len(comparison.keys)
    if count < MIN_JUDGED:
        return Gate(False, f"only {count} held-out queries could be judged; {MIN_JUDGED} are needed", {"judged": count})
    change, weights = comparison.change, comparison.weights
    if not change.any() and comparison.overlap.min() == 1:
        reason = f"ranks {count} held-out queries as the champion does: clicks do not speak for another ranking yet"
        return Gate(False, reason, {"judged": count, "change": 0.0, "overlap": 1.0})
    judged = np.unique([clusters[key] for key in comparison.keys], return_inverse=True)[1]
    low, high = bootstrap_interval(change, confidence=0.9, seed=seed, clusters=judged, weights=weights)
    mean, overlap = float(np.average(change, weights=weights)), float(comparison.overlap.mean())
    metrics: dict[str, Any] = {
        "judged": count,
        "champion_ndcg": round(float(np.average(comparison.champion, weights=weights)), 5),
        "candidate_ndcg": round(float(np.average(comparison.candidate, weights=weights)), 5),
        "change": round(mean, 5),
        "low": round(low, 5),
        "high": round(high, 5),
        "change_as_mean": round(float(np.average(comparison.even_change, weights=weights)), 5),
        "change_as_champion_reads": round(float(np.average(comparison.under_champion, weights=weights)), 5),
        "change_as_candidate_reads": round(float(np.average(comparison.under_candidate, weights=weights)), 5),
        "candidate_share": round(comparison.share, 4),
        "data": round(comparison.data, 4),
        "overlap": round(overlap, 4),
        "harmed": round(float((change < -0.01).mean()), 4),
    }
    metrics |= {f"worth_{part}": round(one.mean, 4) for part, one in contributions.items()}
    checks = (
        _Check("mean change", "not better than the champion", mean, 0.0),
        _Check(
            "lower 90% bound", f"could be worse than the champion by more than {-MIN_LOW_BOUND}", low, MIN_LOW_BOUND
        ),
        _Check("share of ten results kept", "shows too much that was never shown before", overlap, MIN_OVERLAP),
    )
    broken = [f"{part} ({one.mean:+.3f} ± {one.error:.3f})" for part, one in contributions.items() if not one.proven]
    problems = [check.tell() for check in checks if check.failed]
    if broken:
        problems.insert(0, f"does not know what it was taught, log likelihood of learned clicks by {', '.join(broken)}")
    figures = f"nDCG@10 {mean:+.4f} (90% from {low:+.4f}) on {count} held-out queries"
    if not problems:
        return Gate(True, f"better on held-out queries: {figures}", metrics)
    return Gate(False, "; ".join([*problems, figures, *_tell_worst(comparison)]), metrics)


def _tell_worst(comparison: Comparison) -> list[str]:
    """Return the queries that lose most, in words; nothing where none loses."""
    change = comparison.change
    worst = [place for place in np.argsort(change, kind="stable")[:_WORST].tolist() if change[place] < 0]
    return (
        [f"worst: {', '.join(f'{comparison.keys[place]!r} {change[place]:+.3f}' for place in worst)}"] if worst else []
    )
