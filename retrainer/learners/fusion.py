"""Learns the weights of the linear fusion by listwise softmax, held by weights of other collections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, minimize

from foundation.arrays import Doubles, Floats
from serving.ranking.features import FEATURES, NEVER_HARMFUL

HOLD = 30.0
"""Pull toward the prior weights; 1 pulls as strongly as one query whose score is off by one."""

_MIN_SPREAD = 0.2
"""Taken for the spread of a feature that hardly varies yet, so that its weight is held all the same."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Candidate lists with targets, padded to one length.

    Attributes:
        values: Features, float32 of shape (queries, longest, features).
        targets: Relevance, float32 of shape (queries, longest); 0 where padded.
        present: Which places hold a candidate, same shape.
        weights: Weight of each query, shape (queries,).
        names: Of the features.
    """

    values: Floats
    targets: Floats
    present: npt.NDArray[np.bool_]
    weights: Floats
    names: tuple[str, ...] = FEATURES


def stack_lists(
    values: list[Floats], targets: list[Floats], weights: Floats, names: tuple[str, ...] = FEATURES
) -> Lists:
    """Return candidate lists of different lengths as padded arrays."""
    longest = max(map(len, values))
    padded = np.zeros((len(values), longest, len(names)), dtype=np.float32)
    target = np.zeros((len(values), longest), dtype=np.float32)
    present = np.zeros((len(values), longest), dtype=np.bool_)
    for place, (rows, wanted) in enumerate(zip(values, targets, strict=True)):
        padded[place, : len(rows)] = rows
        target[place, : len(rows)] = wanted
        present[place, : len(rows)] = True
    return Lists(padded, target, present, weights, names)


def learn_weights(lists: Lists, prior: dict[str, float], hold: float = HOLD) -> dict[str, float]:
    """Return the weights under which the targets are likeliest, by L-BFGS; a convex problem.

    The softmax of the scores estimates which candidate is the relevant one, so scores come out as
    log-probabilities up to a constant. What users of similar queries chose is never weighed below 0.

    Args:
        prior: Weights by feature name to which the learned ones are pulled.
    """
    lowest = np.array([0.0 if name in NEVER_HARMFUL else -np.inf for name in lists.names])
    start = np.maximum([prior.get(name, 0.0) for name in lists.names], lowest)
    scale = np.maximum(lists.values[lists.present].std(axis=0), _MIN_SPREAD).astype(np.float64)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        scores = np.where(lists.present, lists.values @ weights.astype(np.float32), -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        chance = odds / odds.sum(axis=1, keepdims=True)
        wanted = lists.targets * lists.weights[:, None]
        mass = wanted.sum(axis=1, keepdims=True)
        likelihood = -(wanted * np.log(np.maximum(chance, 1e-12))).sum()
        slope = np.einsum("qc,qcf->f", mass * chance - wanted, lists.values)
        pull = (weights - start) * scale
        return float(likelihood + 0.5 * hold * pull @ pull), slope + hold * pull * scale

    bounds = Bounds(lowest, np.inf)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    return dict(zip(lists.names, found.x.tolist(), strict=True))
