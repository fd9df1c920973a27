"""Ranks held-out queries by two versions and scores both against the same labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles
from foundation.contracts import Evidence, Labeller
from retrainer.learners.belief import relevance_of, softmax_of
from serving.encode.query import Query
from serving.ranking.fusion import fuse
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve

_DEPTH = 10
_MIN_MASS = 0.2


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same queries.

    Attributes:
        keys: The judged queries.
        champion: Expected nDCG@10 by query, shape (n,).
        candidate: The same of the candidate.
        overlap: Share of the champion's ten that the candidate also shows, by query.
    """

    keys: list[str]
    champion: Doubles
    candidate: Doubles
    overlap: Doubles


def compare(
    champion: Ranker,
    candidate: Ranker,
    queries: list[Query],
    evidence: list[Evidence],
    labeller: Labeller,
    theirs: list[Query] | None = None,
) -> Comparison:
    """Return how two versions rank queries that neither learned from.

    Labels read the clicks with the average of both versions' beliefs as prior, so that neither is favoured. Only
    what production showed could be clicked: a document without evidence has the relevance that the prior and the
    failures of its neighbours leave to it.

    Args:
        theirs: The same queries as the candidate's encoder reads them, where it has one of its own.
    """
    other = {query.key: query for query in theirs or queries}
    prior = {query.key: _average(champion, candidate, query, other[query.key]) for query in queries}
    gains = relevance_of(labeller(evidence, prior, None)[0])
    judged = [query for query in queries if sum(gains.get(query.key, {}).values()) >= _MIN_MASS]
    lists = [(_top(champion, query), _top(candidate, other[query.key])) for query in judged]
    return Comparison(
        keys=[query.key for query in judged],
        champion=np.array([ndcg(old, gains[query.key]) for query, (old, _) in zip(judged, lists, strict=True)]),
        candidate=np.array([ndcg(new, gains[query.key]) for query, (_, new) in zip(judged, lists, strict=True)]),
        overlap=np.array([len(set(old) & set(new)) / max(1, len(old)) for old, new in lists]),
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


def _top(ranker: Ranker, query: Query) -> list[str]:
    return [hit.document_id for hit in ranker.search(query, _DEPTH).hits]


def _average(champion: Ranker, candidate: Ranker, query: Query, theirs: Query) -> dict[str, float]:
    one = believe(champion, retrieve(champion.corpus, query))
    other = believe(candidate, retrieve(candidate.corpus, theirs))
    return {name: (one.get(name, 0.0) + other.get(name, 0.0)) / 2 for name in one | other}
