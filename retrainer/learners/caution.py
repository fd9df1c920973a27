"""Chooses fusion weights so that a candidate is never worse: production's own, until clicks speak for others.

Two learned sets of weights compete with production's: one held by production's weights, one by those of other
collections. What decides is how likely they make clicks on queries that they have not learned from. That favours no
belief: one that is sharp and wrong makes clicks unlikely, and all are made equally sharp before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles
from foundation.contracts import ClickCurve, Evidence, Label
from retrainer.learners.belief import Odds, log_likelihood, read_odds
from retrainer.learners.cross_fitting import CrossFitter
from retrainer.learners.priors import PRIOR_WEIGHTS
from retrainer.learners.sharpness import sharpen
from serving.ranking.features import Candidates
from serving.ranking.fusion import CONVEX_SCALE, fuse

PRODUCTION_WEIGHTS = {"bm25_share": CONVEX_SCALE / 2, "dense_share": CONVEX_SCALE / 2}
"""The convex combination that ranks before anything is learned."""

_ERRORS_TO_LEARN = 1.645
"""By so many standard errors clicks must be likelier before learned weights replace production's."""
_ERRORS_TO_TRANSFER = 2.0
"""By so many, before weights of other collections hold the learned ones."""


@dataclass(frozen=True, slots=True)
class ChosenWeights:
    """Fusion weights, and how well they foretold clicks.

    Attributes:
        weights: By feature name.
        likelihood: Log likelihood of each query's clicks under weights that never learned from it, shape (n,).
    """

    weights: dict[str, float]
    likelihood: Doubles

    def surely_exceeds(self, other: ChosenWeights) -> bool:
        """Return whether they foretell clicks better than others, by as much as learning anything takes."""
        return _exceeds(self.likelihood, other.likelihood, _ERRORS_TO_LEARN)


def choose_weights(
    fitter: CrossFitter, lists: list[Candidates], labels: list[Label], evidence: list[Evidence], curve: ClickCurve
) -> ChosenWeights:
    """Return the weights that the clicks of `evidence` speak for.

    Args:
        lists: Each query's candidates as a model saw them that never learned from its fold.
        labels: What the learned weights are fitted to.
    """
    odds = read_odds(evidence, curve)
    everybody = list(range(len(lists)))
    production = _likelihood(fitter, lists, odds, PRODUCTION_WEIGHTS, everybody)
    reached, beyond = (
        _out_of_fold(fitter, lists, labels, odds, prior) for prior in (PRODUCTION_WEIGHTS, PRIOR_WEIGHTS)
    )
    prior = PRODUCTION_WEIGHTS
    if _exceeds(beyond, reached, _ERRORS_TO_TRANSFER):
        prior, reached = PRIOR_WEIGHTS, beyond
    if not _exceeds(reached, production, _ERRORS_TO_LEARN):
        return ChosenWeights(PRODUCTION_WEIGHTS, production)
    return ChosenWeights(fitter.weigh(lists, labels, prior), reached)


def _out_of_fold(
    fitter: CrossFitter,
    lists: list[Candidates],
    labels: list[Label],
    odds: Odds,
    prior: dict[str, float],
) -> Doubles:
    """Return the log likelihood of each query's clicks under weights that were fitted to the other folds."""
    told = np.zeros(len(lists))
    for fold in np.unique(fitter.folds).tolist():
        places = np.flatnonzero(fitter.folds == fold).tolist()
        inside = {fitter.keys[place] for place in places}
        weights = fitter.weigh(lists, [label for label in labels if label.query_key not in inside], prior)
        told[places] = _likelihood(fitter, lists, odds, weights, places)
    return told


def _likelihood(
    fitter: CrossFitter,
    lists: list[Candidates],
    odds: Odds,
    weights: dict[str, float],
    places: list[int],
) -> Doubles:
    """Return the log likelihood of some queries' clicks, if one document answers each as the weights believe."""
    names = [fitter.document_vectors.names(lists[place]) for place in places]
    scores = [fuse(lists[place].values, "linear", weights, lists[place].names) for place in places]
    beliefs = sharpen(list(zip(names, scores, strict=True)))
    return np.array(
        [
            log_likelihood(belief, odds.get(fitter.keys[place], {}))
            for place, belief in zip(places, beliefs, strict=True)
        ]
    )


def _exceeds(one: Doubles, other: Doubles, errors: float) -> bool:
    """Return whether one mean is larger than another by more than so many standard errors of the difference."""
    difference = one - other
    if len(difference) < 2:
        return False
    mean, error = float(difference.mean()), float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return mean > errors * error
