"""What the encoder is fine-tuned on: queries with a passage that answers, and one that looks as if it did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Label
from retrainer.data.splits import assign_folds, cluster_queries
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.passages import split_passages
from serving.ranking.retrieval import retrieve

MIN_MINED = 512
"""In a smaller collection no negatives are mined: a batch already holds a good part of all documents."""

MIN_RELEVANCE = 0.3
"""From here on a label says that a document answers."""

_MAX_NEGATIVE_RELEVANCE = 0.05
_PER_QUERY = 5
_PER_DOCUMENT = 50
_DEPTH = 50
_HARDEST = 10
_MARGIN = 0.95
_HELD_OUT_SHARE = 10


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


def make_pairs(
    labels: Iterable[Label], corpus: Corpus, queries: Mapping[str, Query], seed: int, *, mined: bool = True
) -> list[TrainingPair]:
    """Return the pairs that labels speak for, in the order of their queries.

    Of a document that answers, the passage nearest to the query counts. A negative is drawn from the ten nearest
    documents among the best by words and by meaning. Documents that somebody may want are left out: those with a
    label, and those almost as near to the query as the one that answers (Moreira et al. 2024, arXiv:2407.15831).

    Args:
        corpus: Embedded by the encoder that is to be fine-tuned.
        queries: Queries by key, encoded by it too.
        mined: Whether pairs get a negative at all.
    """
    generator = np.random.default_rng(seed)
    mined = mined and len(corpus) >= MIN_MINED
    pairs: list[TrainingPair] = []
    for key, chosen in sorted(choose_labels(labels, corpus).items()):
        query = queries[key]
        near = find_negatives(corpus, query, {row for _, row in chosen}) if mined else []
        for label, row in chosen:
            if label.relevance < MIN_RELEVANCE:
                continue
            passage, cosine = nearest_passage(corpus, row, query.vector)
            hard = [found for found, other in near if other < _MARGIN * cosine][:_HARDEST]
            negative = nearest_passage(corpus, int(generator.choice(hard)), query.vector)[0] if hard else ""
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


def hold_out(texts: Collection[str], queries: Iterable[Query]) -> set[str]:
    """Return a tenth of some queries' texts, to choose by; alike queries stay together."""
    vectors = {query.text: query.vector for query in queries if query.text in texts}
    known = sorted(vectors)
    if not known:
        return set()
    clusters = cluster_queries(np.stack([vectors[text] for text in known]))
    folds = assign_folds(known, clusters, _HELD_OUT_SHARE, "tuning")
    return {text for text, fold in zip(known, folds.tolist(), strict=True) if fold == 0}


def choose_labels(labels: Iterable[Label], corpus: Corpus) -> dict[str, list[tuple[Label, int]]]:
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
            uses[label.document_id] = uses.get(label.document_id, 0) + (label.relevance >= MIN_RELEVANCE)
    return chosen


def find_negatives(corpus: Corpus, query: Query, wanted: set[int]) -> list[tuple[int, float]]:
    """Return rows of documents that look like answers and are not known as such, with their cosines, nearest first."""
    first_stage = retrieve(corpus, query)
    found = dict.fromkeys([*list(first_stage.lexical)[:_DEPTH], *first_stage.near[:_DEPTH]])
    rows = np.array([row for row in found if row not in wanted and corpus.columns.counts[row]], np.int64)
    if not len(rows):
        return []
    cosines = corpus.compare(rows, query.vector[:, None])[0][:, 0]
    order = np.argsort(-cosines, kind="stable").tolist()
    return [(int(rows[place]), float(cosines[place])) for place in order]


def nearest_passage(corpus: Corpus, row: int, vector: Floats) -> tuple[str, float]:
    """Return the passage of the document in a row that is nearest to a query, and its cosine."""
    document = corpus.document(row)
    passages = split_passages(document.title, document.text)
    cosines = corpus.nearness([row], vector)[0]
    best = int(np.argmax(cosines)) if cosines else 0
    return passages[best], cosines[best] if cosines else 0.0
