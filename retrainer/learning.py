"""Learns one candidate from evidence: labels, adapter, memory and fusion, in alternation.

Every pass labels the evidence with the model's own out-of-fold predictions as the prior, learns on
those labels, and predicts again; what the model has understood of other queries helps to read the
clicks of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.contracts import ClickCurve, Evidence, Label, Labeller
from retrainer.adapter import Adaptation, Judgments, learn_adapter
from retrainer.fusion import learn_weights, stack_lists
from retrainer.priors import PRIOR_WEIGHTS
from retrainer.splits import assign_folds, cluster_queries
from serving.engine.corpus import Corpus
from serving.engine.features import Candidates, Query
from serving.engine.fusion import fuse
from serving.engine.memory import QueryMemory, Remembered
from serving.engine.model import RankingModel
from serving.engine.pipeline import Ranker

Floats = npt.NDArray[np.float32]
Prior = dict[str, dict[str, float]]

FOLDS = 3
PASSES = 3
_DRAFT_STEPS = 120
_FINAL_STEPS = 300
_PRIOR_CANDIDATES = 100
_WORTH_LEARNING = 0.05
_WORTH_REMEMBERING = 0.1


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a candidate is learned from.

    Attributes:
        evidence: Rows of the training queries.
        queries: The training queries, in the order of their keys.
        folds: Fold of each query; clusters of alike queries share one.
    """

    evidence: list[Evidence]
    queries: list[Query]
    folds: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Learned:
    """A candidate before it is written down.

    Attributes:
        choices: Relevance by query key and document id, for the memory.
    """

    adaptation: Adaptation
    documents: list[str]
    choices: dict[str, dict[str, float]]
    weights: dict[str, float]
    curve: ClickCurve
    labels: list[Label] = field(repr=False)


def prepare_lesson(evidence: list[Evidence], encode: Callable[[list[str]], Floats]) -> Lesson:
    """Return the lesson of some evidence: its queries, encoded and split into folds."""
    keys = sorted({row.query_key for row in evidence})
    vectors = encode(keys)
    folds = assign_folds(keys, cluster_queries(vectors), FOLDS, "fold")
    return Lesson(evidence, [Query(key, key, vector) for key, vector in zip(keys, vectors, strict=True)], folds)


def learn(
    lesson: Lesson,
    corpus: Corpus,
    labeller: Labeller,
    seed: int,
    passes: int = PASSES,
    progress: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Return what the evidence of `lesson` teaches over the documents of `corpus`.

    Args:
        labeller: Turns evidence and a prior into labels.
        passes: Alternations of labelling and learning, at least 1.
        progress: Told what is being done.
    """
    shelf = Shelf(corpus)
    prior = _predict_baseline(lesson, corpus)
    weights = PRIOR_WEIGHTS
    for number in range(passes):
        progress(f"pass {number + 1} of {passes}")
        labels, curve = labeller(lesson.evidence, prior, None)
        lists = _predict_folds(lesson, shelf, labels, seed + number)
        weights = _learn_fusion(lesson, shelf, lists, labels)
        prior = {
            query.key: _probabilities(shelf, found, weights) for query, found in zip(lesson.queries, lists, strict=True)
        }
    progress("final labels and adapter")
    labels, curve = labeller(lesson.evidence, prior, None)
    adaptation = learn_adapter(_judge(lesson, shelf, labels), shelf.vectors, _FINAL_STEPS, seed)
    return Learned(adaptation, shelf.ids, remember(labels), weights, curve, labels)


class Shelf:
    """The documents of a corpus by number, for the learners."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.ids = corpus.ids()
        self.number = {document: place for place, document in enumerate(self.ids)}
        rows = [row for document in self.ids if (row := corpus.row(document)) is not None]
        self.vectors: Floats = np.stack([corpus.entries[row].mean for row in rows])

    def names(self, found: Candidates) -> list[str]:
        """Return the document ids of candidates."""
        return [self.corpus.entries[row].document.id for row in found.rows]


def remember(labels: list[Label]) -> dict[str, dict[str, float]]:
    """Return what the memory keeps of labels: by query key, documents worth remembering."""
    choices: dict[str, dict[str, float]] = {}
    for label in labels:
        if label.relevance >= _WORTH_REMEMBERING:
            choices.setdefault(label.query_key, {})[label.document_id] = label.relevance
    return choices


def _predict_baseline(lesson: Lesson, corpus: Corpus) -> Prior:
    shelf = Shelf(corpus)
    ranker = Ranker(corpus, RankingModel(QueryMemory([], corpus.dense.dimension)))
    return {query.key: _convex_probabilities(shelf, ranker.candidates(query)) for query in lesson.queries}


def _convex_probabilities(shelf: Shelf, found: Candidates) -> dict[str, float]:
    return softmax_of(shelf.names(found), fuse(found.values, "convex", {}))


def _probabilities(shelf: Shelf, found: Candidates, weights: dict[str, float]) -> dict[str, float]:
    return softmax_of(shelf.names(found), fuse(found.values, "linear", weights))


def softmax_of(names: list[str], scores: Floats) -> dict[str, float]:
    if not names:
        return {}
    odds = np.exp((scores - scores.max()).astype(np.float64))
    chances = odds / odds.sum()
    best = np.argsort(-chances)[:_PRIOR_CANDIDATES].tolist()
    return {names[place]: float(chances[place]) for place in best}


def _predict_folds(lesson: Lesson, shelf: Shelf, labels: list[Label], seed: int) -> list[Candidates]:
    """Return each query's candidates as a model saw them that never learned from its fold."""
    past = _memory(lesson, labels, shelf)
    found: dict[int, Candidates] = {}
    for fold in range(FOLDS):
        inside = {query.key for query, of in zip(lesson.queries, lesson.folds, strict=True) if of == fold}
        others = [label for label in labels if label.query_key not in inside]
        learned = learn_adapter(_judge(lesson, shelf, others), shelf.vectors, _DRAFT_STEPS, seed)
        memory = QueryMemory([query for query in past if query.key not in inside], shelf.vectors.shape[1])
        model = RankingModel(memory, learned.adapter, learned.residuals(shelf.ids))
        ranker = Ranker(shelf.corpus, model)
        for place, query in enumerate(lesson.queries):
            if lesson.folds[place] == fold:
                found[place] = ranker.candidates(query)
    return [found[place] for place in range(len(lesson.queries))]


def _memory(lesson: Lesson, labels: list[Label], shelf: Shelf) -> list[Remembered]:
    vectors = {query.key: query.vector for query in lesson.queries}
    return [Remembered(key, vectors[key], chosen) for key, chosen in remember(labels).items()]


def _learn_fusion(lesson: Lesson, shelf: Shelf, lists: list[Candidates], labels: list[Label]) -> dict[str, float]:
    relevance, weight = _by_query(labels)
    chosen = [
        (found.values, np.array([relevance[query.key].get(name, 0.0) for name in shelf.names(found)], dtype=np.float32))
        for query, found in zip(lesson.queries, lists, strict=True)
        if query.key in relevance and found.rows
    ]
    weights = np.array([weight[query.key] for query in lesson.queries if query.key in relevance], dtype=np.float32)
    kept = [place for place, (_, target) in enumerate(chosen) if target.sum() > 0]
    if not kept:
        return PRIOR_WEIGHTS
    values = [chosen[place][0] for place in kept]
    targets = [chosen[place][1] for place in kept]
    return learn_weights(stack_lists(values, targets, weights[kept]), PRIOR_WEIGHTS)


def _by_query(labels: list[Label]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    relevance: dict[str, dict[str, float]] = {}
    weight: dict[str, float] = {}
    for label in labels:
        relevance.setdefault(label.query_key, {})[label.document_id] = label.relevance
        weight[label.query_key] = label.weight
    return relevance, weight


def _judge(lesson: Lesson, shelf: Shelf, labels: list[Label]) -> Judgments:
    kept = [label for label in labels if label.relevance >= _WORTH_LEARNING and label.document_id in shelf.number]
    keys = sorted({label.query_key for label in kept})
    number = {key: place for place, key in enumerate(keys)}
    vectors = {query.key: query.vector for query in lesson.queries}
    weights = {label.query_key: label.weight for label in kept}
    return Judgments(
        queries=np.stack([vectors[key] for key in keys]),
        weights=np.array([weights[key] for key in keys], dtype=np.float32),
        query=np.array([number[label.query_key] for label in kept]),
        document=np.array([shelf.number[label.document_id] for label in kept]),
        relevance=np.array([label.relevance for label in kept], dtype=np.float32),
    )
