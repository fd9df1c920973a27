"""Ranks held-out queries by two versions and scores both against the same labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.contracts import ClickCurve, Evidence, Labeller
from retrainer.learning import softmax_of
from serving.engine.features import Query
from serving.engine.fusion import fuse
from serving.engine.pipeline import Ranker

Doubles = npt.NDArray[np.float64]
_DEPTH = 10
_LEAST_MASS = 0.2
_PRIOR_LOG_ODDS = -2.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same queries.

    Attributes:
        keys: The judged queries.
        champion: Expected nDCG@10 by query, shape (n,).
        candidate: The same of the candidate.
        overlap: Share of the champion's ten that the candidate also shows, by query.
        learned: What the candidate gains over its own fusion weights without anything else it learned,
            in nDCG@10 against clicks alone, by query with clicks.
    """

    keys: list[str]
    champion: Doubles
    candidate: Doubles
    overlap: Doubles
    learned: Doubles = field(default_factory=lambda: np.zeros(0))


def compare(
    champion: Ranker,
    candidate: Ranker,
    plain: Ranker,
    queries: list[Query],
    evidence: list[Evidence],
    labeller: Labeller,
) -> Comparison:
    """Return how two versions rank queries that neither learned from.

    Labels read the clicks with the average of both versions' beliefs as prior, so that neither is
    favoured. Clicks saw only what production showed; a document without evidence has the
    relevance that the prior and its neighbours' failures leave to it. A version that believes in
    nonsense firmly enough agrees with such labels; clicks alone do not know what it believes.

    Args:
        plain: The candidate's fusion weights without anything else that it learned.
    """
    gains, curve = _read_gains(champion, candidate, queries, evidence, labeller)
    judged = [query for query in queries if sum(gains.get(query.key, {}).values()) >= _LEAST_MASS]
    old, new = ({query.key: _top(ranker, query) for query in queries} for ranker in (champion, candidate))
    clicked = _clicks_alone(evidence, curve)
    learned = [
        ndcg(new[query.key], clicked[query.key]) - ndcg(_top(plain, query), clicked[query.key])
        for query in queries
        if query.key in clicked
    ]
    return Comparison(
        keys=[query.key for query in judged],
        champion=np.array([ndcg(old[query.key], gains[query.key]) for query in judged]),
        candidate=np.array([ndcg(new[query.key], gains[query.key]) for query in judged]),
        overlap=np.array([_shared(old[query.key], new[query.key]) for query in judged]),
        learned=np.array(learned),
    )


def ndcg(ranking: list[str], gains: Mapping[str, float], depth: int = _DEPTH) -> float:
    """Return nDCG@depth of a ranking with linear gains (Järvelin and Kekäläinen 2002), 0 without any gain."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    found = np.array([gains.get(name, 0.0) for name in ranking[:depth]])
    ideal = np.sort(np.array(list(gains.values())))[::-1][:depth]
    best = float(ideal @ discounts[: len(ideal)])
    return float(found @ discounts[: len(found)]) / best if best > 0 else 0.0


def _read_gains(
    champion: Ranker, candidate: Ranker, queries: list[Query], evidence: list[Evidence], labeller: Labeller
) -> tuple[dict[str, dict[str, float]], ClickCurve]:
    """Return the relevance that the clicks stand for, by query key and document id, and the click curve."""
    prior = {query.key: _average(champion, candidate, query) for query in queries}
    labels, curve = labeller(evidence, prior, None)
    gains: dict[str, dict[str, float]] = {}
    for label in labels:
        gains.setdefault(label.query_key, {})[label.document_id] = label.relevance
    return gains, curve


def _clicks_alone(evidence: list[Evidence], curve: ClickCurve) -> dict[str, dict[str, float]]:
    """Return the relevance of clicked documents as if nobody had believed anything before."""
    gains: dict[str, dict[str, float]] = {}
    for row in evidence:
        if sum(row.clicked) > 0:
            odds = _PRIOR_LOG_ODDS + curve.log_odds(row.shown, row.clicked)
            gains.setdefault(row.query_key, {})[row.document_id] = float(1 / (1 + np.exp(-odds)))
    return gains


def _shared(old: list[str], new: list[str]) -> float:
    return len(set(old) & set(new)) / max(1, len(old))


def _top(ranker: Ranker, query: Query) -> list[str]:
    return [hit.document_id for hit in ranker.rank(query, _DEPTH).hits]


def _average(champion: Ranker, candidate: Ranker, query: Query) -> dict[str, float]:
    one, other = _believe(champion, query), _believe(candidate, query)
    return {name: (one.get(name, 0.0) + other.get(name, 0.0)) / 2 for name in one | other}


def _believe(ranker: Ranker, query: Query) -> dict[str, float]:
    found = ranker.candidates(query)
    names = [ranker.corpus.entries[row].document.id for row in found.rows]
    return softmax_of(names, fuse(found.values, ranker.model.fusion, ranker.model.weights))
