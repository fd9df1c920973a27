"""Probabilities of relevance, as labels state them and as a model believes them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Label

Relevance = dict[str, dict[str, float]]
"""Probability of relevance by query key and document id."""

_PRIOR_CANDIDATES = 100


def relevance_of(labels: Iterable[Label]) -> Relevance:
    """Return the relevance that labels state."""
    relevance: Relevance = {}
    for label in labels:
        relevance.setdefault(label.query_key, {})[label.document_id] = label.relevance
    return relevance


def softmax_of(names: list[str], scores: Floats) -> dict[str, float]:
    """Return the hundred largest probabilities that log-odds scores stand for, by name."""
    if not names:
        return {}
    odds = np.exp((scores - scores.max()).astype(np.float64))
    chances = odds / odds.sum()
    best = np.argsort(-chances)[:_PRIOR_CANDIDATES].tolist()
    return {names[place]: float(chances[place]) for place in best}
