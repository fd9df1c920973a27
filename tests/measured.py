"""Measurements of a candidate for tests: so many queries, each changed by so much."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrainer.gate.comparison import Comparison
from retrainer.gate.measurements import Measurements


def comparison(change: list[float], overlap: float = 0.8, lists: list[float] | None = None) -> Comparison:
    """Return a comparison of queries "query 0", "query 1" and so on, all of which weigh alike."""
    changes, before = np.array(change), np.full(len(change), 0.4)
    return Comparison(
        keys=[f"query {number}" for number in range(len(change))],
        champion=before,
        candidate=before + changes,
        overlap=np.full(len(change), overlap),
        under_champion=changes - 0.02,
        under_candidate=changes + 0.02,
        lists=np.ones(len(change)) if lists is None else np.array(lists),
        weights=np.ones(len(change)),
        share=0.5,
        data=0.5,
        unjudged=changes / 4,
        differs=changes != 0,
    )


def measured(found: Comparison, **other: Any) -> Measurements:
    """Return a comparison as measurements, each query a cluster of its own."""
    known: dict[str, Any] = {"clusters": {key: key for key in found.keys}, "seed": 0}
    return Measurements(found, **known | other)
