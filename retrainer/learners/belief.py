"""Probabilities of relevance, as labels state them and as a model believes them, and how likely they make clicks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import ClickCurve, Evidence, Label

Relevance = dict[str, dict[str, float]]
"""Probability of relevance by query key and document id."""

Odds = dict[str, dict[str, float]]
"""What users did with a document, in log-odds of relevance, by query key and document id."""

_PRIOR_CANDIDATES = 100
_MAX_ODDS = 20.0
_SATISFACTION = 0.5
_MIN_REST = 1e-3


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


def read_odds(evidence: Iterable[Evidence], curve: ClickCurve) -> Odds:
    """Return what clicks, skips and satisfaction say of each document under a click curve, within bounds."""
    odds: Odds = {}
    for row in evidence:
        said = curve.log_odds(row.shown, row.clicked) + (row.satisfied - row.dissatisfied) * _SATISFACTION
        odds.setdefault(row.query_key, {})[row.document_id] = min(max(said, -_MAX_ODDS), _MAX_ODDS)
    return odds


def log_likelihood(belief: Mapping[str, float], odds: Mapping[str, float]) -> float:
    """Return how likely a query's clicks are if one document answers it as believed, beside the case that none does.

    Args:
        belief: Probability by document id; what is missing from 1 is of documents that nobody was shown.
        odds: What users did, in log-odds by document id.
    """
    rest = max(1 - sum(belief.values()), _MIN_REST)
    return math.log(rest + sum(chance * math.exp(odds.get(name, 0.0)) for name, chance in belief.items()))
