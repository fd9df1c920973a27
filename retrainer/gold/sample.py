"""Which queries people should judge next: those asked often whose answer is uncertain (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from foundation.arrays import Doubles

POOL_DEPTH = 50
"""So many results of a search are looked through for documents to judge."""

_SHORTLIST = 4


@dataclass(frozen=True, slots=True)
class PooledDocument:
    """A document that may answer a query.

    Attributes:
        score: Of the version that serves; a difference of scores is one of log odds.
        bm25: Nearness by words.
        dense: Nearness by meaning.
    """

    id: str
    title: str
    url: str
    snippet: str
    score: float
    bm25: float
    dense: float


@dataclass(frozen=True, slots=True)
class SampledQuery:
    """A query to judge.

    Attributes:
        searches: How often it was asked.
        uncertainty: Of its answer, from 0 to 1.
        documents: To judge, in no order that tells which system found them.
    """

    query: str
    searches: int
    uncertainty: float
    documents: list[PooledDocument]


def sample(
    asked: Sequence[tuple[str, int]],
    find: Callable[[str], Sequence[PooledDocument]],
    *,
    count: int,
    depth: int,
    seed: int,
) -> list[SampledQuery]:
    """Draw queries for judging without replacement, by traffic first and by uncertainty among those.

    Four times `count` queries are drawn in proportion to their searches (Efraimidis and Spirakis 2006) and searched;
    of these, `count` in proportion to how uncertain the version is of its answer. Each comes with the `depth` best
    documents by score, by words and by meaning, so that no single way of searching decides what is judged.

    Args:
        asked: Queries with their searches.
        find: Returns up to `POOL_DEPTH` results for a query.
    """
    rng = np.random.default_rng(seed)
    searches = dict(asked)
    shortlist = _draw(rng, list(searches), np.array(list(searches.values()), np.float64), _SHORTLIST * count)
    found = {query: list(find(query)) for query in shortlist}
    doubt = {query: uncertainty(np.array([one.score for one in documents])) for query, documents in found.items()}
    chosen = _draw(rng, shortlist, np.array([doubt[query] for query in shortlist]) + 1e-6, count)
    return [SampledQuery(query, searches[query], doubt[query], _pool(found[query], depth, rng)) for query in chosen]


def uncertainty(scores: Doubles) -> float:
    """Return the entropy of the softmax of the ten best scores, by that of ten equal ones; 1 where nothing is found.

    Args:
        scores: Scores of documents as log odds, shape (n,).
    """
    if not len(scores):
        return 1.0
    best = np.sort(np.asarray(scores, np.float64))[::-1][:10]
    shares = np.exp(best - best[0])
    shares /= shares.sum()
    return float(-(shares * np.log(np.maximum(shares, 1e-12))).sum() / np.log(10))


def _draw(rng: np.random.Generator, items: list[str], weights: Doubles, count: int) -> list[str]:
    """Return items drawn without replacement in proportion to their weights, all of which are above 0."""
    keys = np.log(rng.random(len(items))) / weights
    return [items[place] for place in np.argsort(-keys, kind="stable")[:count].tolist()]


def _pool(found: list[PooledDocument], depth: int, rng: np.random.Generator) -> list[PooledDocument]:
    orders = (attrgetter("score"), attrgetter("bm25"), attrgetter("dense"))
    best = {one.id: one for order in orders for one in sorted(found, key=order, reverse=True)[:depth]}
    return [list(best.values())[place] for place in rng.permutation(len(best)).tolist()]
