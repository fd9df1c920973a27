"""How far a candidate moves from what is shown today: nobody can judge lists that were never shown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MIN_OVERLAP = 0.3
MAX_DRIFT = 0.6
"""Share of all attention that may go to other documents than today."""


def check_overlap(measured: Measurements) -> GateFinding:
    """Find whether enough of each ten results is kept."""
    found = measured.comparison
    problem = "shows too much that was never shown before"
    worst = name_worst(found.keys, found.overlap - 1)
    return GateFinding("share of ten results kept", float(found.overlap.mean()), "above", MIN_OVERLAP, problem, worst)


def check_drift(measured: Measurements) -> GateFinding | None:
    """Find whether attention moves to other documents than today: by how much their shares of it change."""
    found, shown = measured.comparison, (measured.champion_tops, measured.candidate_tops)
    if not all(shown):
        return None
    weights = dict(zip(found.keys, found.lists.tolist(), strict=True))
    today, then = (expose(tops, weights) for tops in shown)
    moved = sum(abs(then.get(name, 0.0) - today.get(name, 0.0)) for name in today.keys() | then.keys()) / 2
    problem = "gives most of the attention to other documents"
    return GateFinding("share of attention that moves", moved, "below", MAX_DRIFT, problem)


def expose(tops: Mapping[str, list[str]], weights: Mapping[str, float]) -> dict[str, float]:
    """Return each document's share of attention over some queries, by 1 / log2(1 + rank).

    Args:
        weights: How often each query is asked.
    """
    shares: dict[str, float] = {}
    for key, weight in weights.items():
        looked = weight / np.log2(np.arange(2, len(tops[key]) + 2))
        for name, one in zip(tops[key], looked.tolist(), strict=True):
            shares[name] = shares.get(name, 0.0) + one
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()} if total else {}
