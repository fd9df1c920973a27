"""Ranks held-out queries by two versions, and reads what users clicked under the beliefs of each.

No single reading is fair: every prior favours the version whose belief it is, and with one list a query it decides
most. So clicks are read twice, under the champion's belief and under the candidate's, both equally sharp. The truth
lies between the two readings nearly always; their mean has the right sign, and is too small rather than wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles
from foundation.contracts import Evidence, Labeller
from retrainer.learners.belief import Relevance, relevance_of, softmax_of
from retrainer.learners.sharpness import sharpen
from serving.encode.query import Query
from serving.ranking.fusion import fuse
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve

_DEPTH = 10
_MIN_MASS = 0.2
_HALF_WEIGHT = 2.0
"""Lists of a query at which it weighs half of what it can: one list tells little, a fifth hardly more than four."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same queries; arrays of shape (n,).

    Attributes:
        keys: The judged queries.
        champion: Expected nDCG@10 by query, the mean of both readings.
        candidate: The same of the candidate.
        overlap: Share of the champion's ten that the candidate also shows, by query.
        under_champion: Change of nDCG@10 when clicks are read under the champion's belief.
        under_candidate: Change when they are read under the candidate's.
        weights: How much each query weighs, by its lists.
        data: How much of the judgment is data, from 0 to 1: by what share clicks bring the readings together.
    """

    keys: list[str]
    champion: Doubles
    candidate: Doubles
    overlap: Doubles
    under_champion: Doubles
    under_candidate: Doubles
    weights: Doubles
    data: float

    @property
    def change(self) -> Doubles:
        """Change of nDCG@10 by query, the mean of both readings."""
        return self.candidate - self.champion


@dataclass(frozen=True, slots=True)
class _View:
    """What a version shows for some queries, and what it believes of them."""

    tops: dict[str, list[str]]
    beliefs: Relevance


def compare(
    champion: Ranker,
    candidate: Ranker,
    queries: list[Query],
    evidence: list[Evidence],
    labeller: Labeller,
    theirs: list[Query] | None = None,
) -> Comparison:
    """Return how two versions rank queries that neither learned from.

    Only what production showed could be clicked: a document without evidence has the relevance that the prior and
    the failures of its neighbours leave to it. Multiplying all scores of a version changes nothing.

    Args:
        theirs: The same queries as the candidate's encoder reads them, where it has one of its own.
    """
    views = (_look(champion, queries), _look(candidate, theirs or queries))
    readings = [relevance_of(labeller(evidence, view.beliefs, None)[0]) for view in views]
    keys = [query.key for query in queries if all(_mass(gains, query.key) >= _MIN_MASS for gains in readings)]
    qualities = np.array([[_qualities(view, gains, keys) for view in views] for gains in readings])  # reading, view
    untold = np.array([[_qualities(view, gains.beliefs, keys) for view in views] for gains in views])
    changes, guesses = qualities[:, 1] - qualities[:, 0], untold[:, 1] - untold[:, 0]
    lists = _count_lists(evidence)
    weights = np.array([lists[key] / (lists[key] + _HALF_WEIGHT) for key in keys])
    old, new = (view.tops for view in views)
    return Comparison(
        keys=keys,
        champion=qualities[:, 0].mean(axis=0),
        candidate=qualities[:, 1].mean(axis=0),
        overlap=np.array([len(set(old[key]) & set(new[key])) / max(1, len(old[key])) for key in keys]),
        under_champion=changes[0],
        under_candidate=changes[1],
        weights=weights,
        data=_share_of_data(changes[1] - changes[0], guesses[1] - guesses[0], weights),
    )


def believe(ranker: Ranker, first_stage: FirstStage) -> dict[str, float]:
    """Return the probability by document id that it is the one that answers, by the version alone."""
    found = ranker.candidates(first_stage)
    names = [ranker.corpus.name(row) for row in found.rows]
    return softmax_of(names, fuse(found.values, ranker.model.fusion, ranker.model.weights))


def ndcg(ranking: list[str], gains: Mapping[str, float], depth: int = _DEPTH) -> float:
    """Return nDCG@depth of a ranking with linear gains (Järvelin and Kekäläinen 2002), 0 without any gain."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    found = np.array([gains.get(name, 0.0) for name in ranking[:depth]])
    ideal = np.sort(np.array(list(gains.values())))[::-1][:depth]
    best = float(ideal @ discounts[: len(ideal)])
    return float(found @ discounts[: len(found)]) / best if best > 0 else 0.0


def _look(ranker: Ranker, queries: list[Query]) -> _View:
    asked, lists = [retrieve(ranker.corpus, query) for query in queries], []
    for first_stage in asked:
        found = ranker.candidates(first_stage)
        names = [ranker.corpus.name(row) for row in found.rows]
        lists.append((names, fuse(found.values, ranker.model.fusion, ranker.model.weights)))
    tops = {one.query.key: [hit.document_id for hit in ranker.rank(one, _DEPTH).hits] for one in asked}
    return _View(tops, {one.query.key: belief for one, belief in zip(asked, sharpen(lists), strict=True)})


def _mass(gains: Relevance, key: str) -> float:
    return sum(gains.get(key, {}).values())


def _qualities(view: _View, gains: Relevance, keys: list[str]) -> list[float]:
    return [ndcg(view.tops[key], gains[key]) for key in keys]


def _count_lists(evidence: list[Evidence]) -> dict[str, float]:
    """Return how many lists of each query were looked at: as many as showed the document that was shown most."""
    lists: dict[str, float] = {}
    for row in evidence:
        lists[row.query_key] = max(lists.get(row.query_key, 0.0), sum(row.shown), row.satisfied + row.dissatisfied)
    return lists


def _share_of_data(told: Doubles, untold: Doubles, weights: Doubles) -> float:
    """Return by what share the readings lie nearer together with the clicks than they would without."""
    gap, widest = abs(float(told @ weights)), abs(float(untold @ weights))
    return min(max(1 - gap / widest, 0.0), 1.0) if widest > 0 else 1.0
