"""What the encoder is fine-tuned on: queries with a passage that answers, and one that looks as if it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Label
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.passages import split_passages
from serving.ranking.retrieval import retrieve

MIN_MINED = 512
"""In a smaller collection no negatives are mined: a batch already holds a good part of all documents."""

_MIN_RELEVANCE = 0.3
_MAX_NEGATIVE_RELEVANCE = 0.05
_PER_QUERY = 5
_PER_DOCUMENT = 50
_DEPTH = 50
_HARDEST = 10
_MARGIN = 0.95


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A query and a passage that answers it.

    Attributes:
        weight: How often it is drawn, compared with the others.
        negative: A passage that does not answer it, "" where none was mined.
    """

    query: str
    passage: str
    weight: float
    negative: str = ""


def make_pairs(labels: Iterable[Label], corpus: Corpus, queries: Mapping[str, Query], seed: int) -> list[TrainingPair]:
    """Return the pairs that labels speak for, in the order of their queries.

    Of a document that answers, the passage nearest to the query counts. A negative is drawn from the ten nearest
    documents among the best by words and by meaning. Documents that somebody may want are left out: those with a
    label, and those almost as near to the query as the one that answers (Moreira et al. 2024, arXiv:2407.15831).

    Args:
        corpus: Embedded by the encoder that is to be fine-tuned.
        queries: Queries by key, encoded by it too.
    """
    generator = np.random.default_rng(seed)
    mined = len(corpus) >= MIN_MINED
    pairs: list[TrainingPair] = []
    for key, chosen in sorted(_choose(labels, corpus).items()):
        query = queries[key]
        near = _find_negatives(corpus, query, {row for _, row in chosen}) if mined else []
        for label, row in chosen:
            if label.relevance < _MIN_RELEVANCE:
                continue
            passage, cosine = _nearest_passage(corpus, row, query.vector)
            hard = [found for found, other in near if other < _MARGIN * cosine][:_HARDEST]
            negative = _nearest_passage(corpus, int(generator.choice(hard)), query.vector)[0] if hard else ""
            pairs.append(TrainingPair(query.text, passage, label.relevance * label.weight, negative))
    return pairs


def draw_pairs(pairs: list[TrainingPair], count: int, seed: int) -> list[TrainingPair]:
    """Return `count` pairs in a random order, each as often as its weight says; equal weights are drawn evenly."""
    generator = np.random.default_rng(seed)
    weights = np.array([pair.weight for pair in pairs])
    ends = np.floor(np.cumsum(weights) / weights.sum() * count + generator.random()).astype(np.int64)
    times = np.diff(ends, prepend=0)
    drawn = np.repeat(np.arange(len(pairs)), times)
    return [pairs[index] for index in generator.permutation(drawn).tolist()]


def _choose(labels: Iterable[Label], corpus: Corpus) -> dict[str, list[tuple[Label, int]]]:
    """Return the labels to learn from by query, with their documents' rows, those that say most first.

    No document is in too many.
    """
    chosen: dict[str, list[tuple[Label, int]]] = {}
    uses: dict[str, int] = {}
    for label in sorted(labels, key=lambda one: (-one.relevance * one.weight, one.query_key, one.document_id)):
        row = corpus.row(label.document_id)
        full = len(chosen.get(label.query_key, ())) >= _PER_QUERY or uses.get(label.document_id, 0) >= _PER_DOCUMENT
        says = label.relevance >= _MAX_NEGATIVE_RELEVANCE and label.weight > 0
        if row is not None and says and not full:
            chosen.setdefault(label.query_key, []).append((label, row))
            uses[label.document_id] = uses.get(label.document_id, 0) + (label.relevance >= _MIN_RELEVANCE)
    return chosen


def _find_negatives(corpus: Corpus, query: Query, wanted: set[int]) -> list[tuple[int, float]]:
    """Return rows of documents that look like answers and are not known as such, with their cosines, nearest first."""
    first_stage = retrieve(corpus, query)
    found = dict.fromkeys([*list(first_stage.lexical)[:_DEPTH], *first_stage.near[:_DEPTH]])
    rows = np.array([row for row in found if row not in wanted and corpus.columns.counts[row]], np.int64)
    if not len(rows):
        return []
    cosines = corpus.compare(rows, query.vector[:, None])[0][:, 0]
    order = np.argsort(-cosines, kind="stable").tolist()
    return [(int(rows[place]), float(cosines[place])) for place in order]


def _nearest_passage(corpus: Corpus, row: int, vector: Floats) -> tuple[str, float]:
    """Return the passage of the document in a row that is nearest to a query, and its cosine."""
    document = corpus.document(row)
    passages = split_passages(document.title, document.text)
    cosines = corpus.nearness([row], vector)[0]
    best = int(np.argmax(cosines)) if cosines else 0
    return passages[best], cosines[best] if cosines else 0.0
