"""Makes the beliefs of two versions equally sharp, so that neither is favoured for being surer of itself."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, softmax

from foundation.arrays import Doubles, Floats
from retrainer.learners.belief import softmax_of

ENTROPY = 1.5
"""Mean entropy of the beliefs in nats, about as unsure as to choose among four or five documents."""

_MAX_SHARE = 0.5  # of the largest possible entropy, where a query has few candidates
_WIDEST = 30.0  # of the logarithm of a temperature, beside the spread of the scores
_TOLERANCE = 1e-12


def sharpen(lists: list[tuple[list[str], Floats]]) -> list[dict[str, float]]:
    """Return a version's beliefs of some queries, all at the one temperature that gives them the common entropy.

    Scores that are multiplied, or shifted by query, give the same beliefs.

    Args:
        lists: Names and scores of the candidates by query, in log-odds up to a constant and a factor.
    """
    scores = [(values - values.max(initial=-np.inf)).astype(np.float64) for _, values in lists]
    told = [values for values in scores if len(values) > 1 and np.ptp(values) > 0]
    temperature = _fit_temperature(told) if told else 1.0
    return [softmax_of(names, values / temperature) for (names, _), values in zip(lists, scores, strict=True)]


def _fit_temperature(scores: list[Doubles]) -> float:
    longest = max(map(len, scores))
    spread = float(np.mean([np.ptp(values) for values in scores]))
    padded = np.full((len(scores), longest), -np.inf)
    for place, values in enumerate(scores):
        padded[place, : len(values)] = values / spread
    most = float(np.mean([np.log(len(values)) for values in scores]))
    wanted = min(ENTROPY, _MAX_SHARE * most)

    def excess(log_temperature: float) -> float:
        chances = softmax(padded * np.exp(-log_temperature), axis=1)
        return float(entr(chances).sum(axis=1).mean()) - wanted

    if excess(-_WIDEST) >= 0:  # scores are tied at the top: no temperature tells them apart
        return spread
    return spread * float(np.exp(brentq(excess, -_WIDEST, _WIDEST, xtol=_TOLERANCE)))
