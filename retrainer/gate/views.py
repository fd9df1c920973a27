"""What a version shows for some queries, and what it believes of them."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.arrays import Floats
from retrainer.learners.belief import Relevance, softmax_of
from retrainer.learners.sharpness import sharpen
from serving.encode.query import Query
from serving.ranking.fusion import fuse
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve

DEPTH = 10


@dataclass(frozen=True, slots=True)
class View:
    """How a version sees some queries.

    Attributes:
        tops: The ten documents that it shows, by query key.
        beliefs: Probabilities of relevance, as sharp as those of every other version.
    """

    tops: dict[str, list[str]]
    beliefs: Relevance


def look(ranker: Ranker, queries: list[Query]) -> View:
    """Return how a version sees some queries, by itself: without what users did since it was made."""
    asked = [retrieve(ranker.corpus, query) for query in queries]
    beliefs = sharpen([score(ranker, one) for one in asked])
    tops = {one.query.key: [hit.document_id for hit in ranker.rank(one, DEPTH).hits] for one in asked}
    return View(tops, {one.query.key: belief for one, belief in zip(asked, beliefs, strict=True)})


def believe(ranker: Ranker, first_stage: FirstStage) -> dict[str, float]:
    """Return the probability by document id that it is the one that answers, by the version alone."""
    return softmax_of(*score(ranker, first_stage))


def score(ranker: Ranker, first_stage: FirstStage) -> tuple[list[str], Floats]:
    """Return the ids of a query's candidates and their scores in log-odds, by the version alone."""
    found = ranker.candidates(first_stage)
    names = [ranker.corpus.name(row) for row in found.rows]
    return names, fuse(found.values, ranker.model.fusion, ranker.model.weights, found.names)
