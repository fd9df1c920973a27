"""Lets a candidate into an experiment, or says why not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrainer.data.threshold import MIN_JUDGED
from retrainer.gate.checks.change import check_drift, check_overlap
from retrainer.gate.checks.contributions import check_contributions
from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.checks.gold import check_gold, check_gold_answers
from retrainer.gate.checks.held_out import (
    change_interval,
    check_low_bound,
    check_mean,
    interval_of,
    mean_change,
)
from retrainer.gate.checks.known_items import check_known_items
from retrainer.gate.checks.latency import check_latency
from retrainer.gate.checks.memory import check_memory
from retrainer.gate.checks.off_policy import check_off_policy
from retrainer.gate.checks.reload import check_reload
from retrainer.gate.checks.siblings import check_siblings
from retrainer.gate.checks.slices import check_slices
from retrainer.gate.measurements import Measurements
from retrainer.gate.off_policy import OffPolicyEstimate

Check = Callable[[Measurements], GateFinding | None]

CHECKS: dict[str, Check] = {
    "contributions": check_contributions,
    "mean": check_mean,
    "low_bound": check_low_bound,
    "slices": check_slices,
    "known_items": check_known_items,
    "off_policy": check_off_policy,
    "siblings": check_siblings,
    "gold": check_gold,
    "gold_answers": check_gold_answers,
    "overlap": check_overlap,
    "drift": check_drift,
    "latency": check_latency,
    "reload": check_reload,
    "memory": check_memory,
}
"""All that a candidate must pass, by name; a check without anything to look at finds nothing."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether users may see a candidate in an experiment, why in words, and the figures behind it."""

    passed: bool
    reason: str
    metrics: dict[str, Any]


def judge_candidate(measured: Measurements) -> Gate:
    """Return whether a candidate may be shown to users: it must pass every check.

    With few judged queries, or where it ranks as the champion does, there is nothing to check.
    """
    count = len(measured.comparison.keys)
    if count < MIN_JUDGED:
        return Gate(False, f"only {count} held-out queries could be judged; {MIN_JUDGED} are needed", {"judged": count})
    if measured.ranks_as_champion:
        reason = f"ranks {count} held-out queries as the champion does: clicks do not speak for another ranking yet"
        return Gate(False, reason, {"judged": count, "change": 0.0, "overlap": 1.0})
    findings = {name: finding for name, check in CHECKS.items() if (finding := check(measured)) is not None}
    failed = [finding for finding in findings.values() if not finding.passed]
    low, high = change_interval(measured)
    figures = f"nDCG@10 {mean_change(measured):+.4f} (90% from {low:+.4f}) on {count} held-out queries"
    told = {f"check_{name}": round(one.value, 4) for name, one in findings.items() if math.isfinite(one.value)}
    metrics = _count(measured, low, high) | told
    if not failed:
        return Gate(True, f"better on held-out queries: {figures}", metrics)
    worst = list(dict.fromkeys(query for finding in failed for query in finding.worst))
    reasons = [*(finding.tell() for finding in failed), figures, *([f"worst: {', '.join(worst)}"] if worst else [])]
    return Gate(False, "; ".join(reasons), metrics)


def _count(measured: Measurements, low: float, high: float) -> dict[str, Any]:
    """Return the figures of the comparison."""
    found = measured.comparison
    weighed = {
        "champion_ndcg": found.champion,
        "candidate_ndcg": found.candidate,
        "change": found.change,
        "change_as_mean": found.even_change,
        "change_as_champion_reads": found.under_champion,
        "change_as_candidate_reads": found.under_candidate,
    }
    return {
        "judged": len(found.keys),
        **{name: round(float(np.average(values, weights=found.weights)), 5) for name, values in weighed.items()},
        "low": round(low, 5),
        "high": round(high, 5),
        "candidate_share": round(found.share, 4),
        "data": round(found.data, 4),
        "overlap": round(float(found.overlap.mean()), 4),
        "differs": round(float(found.differs.mean()), 4),
        "harmed": round(float((found.change < -0.01).mean()), 4),
        **_tell_unjudged(measured),
        **_tell_off_policy(measured.off_policy),
        **{f"worth_{part}": round(one.mean, 4) for part, one in measured.contributions.items()},
    }


def _tell_unjudged(measured: Measurements) -> dict[str, float]:
    """Return what of the change comes from documents that nobody looked at, with its 98% interval."""
    found = measured.comparison
    low, high = interval_of(measured, found.unjudged, 0.98)
    mean = float(np.average(found.unjudged, weights=found.weights))
    return {"unjudged_change": round(mean, 5), "unjudged_low": round(low, 5), "unjudged_high": round(high, 5)}


def _tell_off_policy(found: OffPolicyEstimate | None) -> dict[str, Any]:
    """Return what interleaved lists say, and how much of it they can say; nothing where there are too few."""
    if found is None or not math.isfinite(found.low):
        return {}
    return {
        "off_policy_lists": found.lists,
        "off_policy_coverage": round(found.coverage, 4),
        "off_policy_change": round(found.change, 5),
        "off_policy_low": round(found.low, 5),
        "off_policy_high": round(found.high, 5),
    }
