"""From scores to probabilities."""

from __future__ import annotations

import numpy as np

from foundation.arrays import Floats

_PRIOR_CANDIDATES = 100


def softmax_of(names: list[str], scores: Floats) -> dict[str, float]:
    """Return the hundred largest probabilities that log-odds scores stand for, by name."""
    if not names:
        return {}
    odds = np.exp((scores - scores.max()).astype(np.float64))
    chances = odds / odds.sum()
    best = np.argsort(-chances)[:_PRIOR_CANDIDATES].tolist()
    return {names[place]: float(chances[place]) for place in best}
