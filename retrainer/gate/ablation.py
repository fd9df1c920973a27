"""The ablation check: finds the broken parts of a candidate, before any question of quality.

A part that has learned makes the clicks that it learned from likelier. One that does not is broken, whatever the
others gain: its numbers are shuffled, its ids mixed up, or it learned from something else. Held-out clicks are too
few to show that of one part. The learned ones show it at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Doubles
from foundation.contracts import Evidence, Manifest
from retrainer.gate.views import believe, score
from retrainer.learners.belief import Odds, log_likelihood, read_odds
from retrainer.learners.caution import PRODUCTION_WEIGHTS
from retrainer.learners.sharpness import sharpen
from serving.encode.query import Query
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve

QUERIES = 300
"""Most queries that a part is checked on."""
MIN_SURENESS = 2.0
"""By so many standard errors a part must make the clicks that it learned from likelier."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part adds to the log likelihood of learned clicks.

    Attributes:
        mean: In nats a query.
        error: Standard error of the mean.
    """

    mean: float
    error: float

    @classmethod
    def of(cls, values: Doubles) -> Contribution:
        """Return the contribution measured on some queries, shape (n,); without two of them it is 0."""
        if len(values) < 2:
            return cls(0.0, 0.0)
        return cls(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)))

    @property
    def sureness(self) -> float:
        """How many standard errors the mean is from 0; 0 where nothing was measured."""
        return self.mean / self.error if self.error else math.copysign(math.inf, self.mean) if self.mean else 0.0

    @property
    def proven(self) -> bool:
        """Whether it is surely above 0."""
        return self.sureness > MIN_SURENESS


def measure_contributions(
    candidate: Manifest, load: Callable[[Manifest], Ranker], queries: list[Query], evidence: list[Evidence]
) -> dict[str, Contribution]:
    """Return what each part of `candidate` contributes, by its name in the manifest.

    Adapter and residuals are compared with the candidate without them, learned fusion weights with production's own,
    both made equally sharp. The memory contributes what the clicks on the document that it chose for a query say, under
    the candidate's curve.

    Args:
        queries: Queries that the candidate learned from.
    """
    clicks = read_odds(evidence, candidate.curve)
    whole = load(candidate)
    asked = [retrieve(whole.corpus, query) for query in queries]
    likelihood = _likelihood(whole, asked, clicks)
    contributions = {
        part: Contribution.of(likelihood - _likelihood(load(without), asked, clicks))
        for part, without in _without_each(candidate).items()
    }
    if candidate.fusion == "linear" and candidate.weights != PRODUCTION_WEIGHTS:
        production = load(replace(candidate, weights=PRODUCTION_WEIGHTS))
        contributions["fusion"] = Contribution.of(
            _sharp_likelihood(whole, asked, clicks) - _sharp_likelihood(production, asked, clicks)
        )
    if candidate.memory:
        contributions["memory"] = Contribution.of(_chosen(whole, queries, clicks))
    return contributions


def _without_each(candidate: Manifest) -> dict[str, Manifest]:
    """Return the candidate without each part; an adapter carries the residuals."""
    less = {
        "adapter": replace(candidate, adapter="", residuals=""),
        "residuals": replace(candidate, residuals=""),
        "tower": replace(candidate, tower=""),
    }
    return {part: manifest for part, manifest in less.items() if getattr(candidate, part)}


def _likelihood(ranker: Ranker, asked: list[FirstStage], clicks: Odds) -> Doubles:
    """Return the log likelihood of each query's clicks, if one document answers it as the ranker believes."""
    return np.array([log_likelihood(believe(ranker, one), clicks.get(one.query.key, {})) for one in asked])


def _sharp_likelihood(ranker: Ranker, asked: list[FirstStage], clicks: Odds) -> Doubles:
    """Return the same of beliefs that are as sharp as every other version's."""
    beliefs = sharpen([score(ranker, one) for one in asked])
    return np.array(
        [log_likelihood(belief, clicks.get(one.query.key, {})) for one, belief in zip(asked, beliefs, strict=True)]
    )


def _chosen(ranker: Ranker, queries: list[Query], clicks: Odds) -> Doubles:
    """Return what clicks say of the document that the memory chose for each query it remembers, in log-odds."""
    choices = {query.key: query.choices for query in ranker.model.memory.past}
    asked = [query.key for query in queries if choices.get(query.key)]
    return np.array([clicks[key].get(max(choices[key], key=choices[key].__getitem__), 0.0) for key in asked])
