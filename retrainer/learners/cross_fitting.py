"""Learns one candidate from evidence: labels, adapter, memory and fusion, in alternation.

Every pass labels the evidence with the model's own out-of-fold predictions as the prior, learns on
those labels, and predicts again; what the model has understood of other queries helps to read the
clicks of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.contracts import ClickCurve, Evidence, Label, Labeller
from retrainer.data.splits import assign_folds, cluster_queries
from retrainer.learners.adapter import Adaptation, Judgments, learn_adapter
from retrainer.learners.fusion import learn_weights, stack_lists
from retrainer.learners.priors import PRIOR_WEIGHTS
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.features import Candidates, read
from serving.ranking.fusion import fuse
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker

Floats = npt.NDArray[np.float32]
Prior = dict[str, dict[str, float]]

FOLDS = 3
PASSES = 2
_DRAFT_STEPS = 50
_REDRAFT_STEPS = 25
_FINAL_STEPS = 150
_PRIOR_CANDIDATES = 100
_WORTH_LEARNING = 0.05
_WORTH_REMEMBERING = 0.1


@dataclass(frozen=True, slots=True)
class TrainingSet:
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


def prepare_training_set(evidence: list[Evidence], encode: Callable[[list[str]], Floats]) -> TrainingSet:
    """Return the training set of some evidence: its queries, encoded and split into folds."""
    keys = sorted({row.query_key for row in evidence})
    vectors = encode(keys)
    folds = assign_folds(keys, cluster_queries(vectors), FOLDS, "fold")
    return TrainingSet(evidence, [Query(key, key, vector) for key, vector in zip(keys, vectors, strict=True)], folds)


def learn(
    training_set: TrainingSet,
    corpus: Corpus,
    labeller: Labeller,
    seed: int,
    passes: int = PASSES,
    progress: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Return what the evidence of `training_set` teaches over the documents of `corpus`.

    Args:
        labeller: Turns evidence and a prior into labels.
        passes: Alternations of labelling and learning, at least 1.
        progress: Told what is being done.
    """
    fitter = CrossFitter(training_set, corpus, seed)
    prior, weights = fitter.believe_untaught(), PRIOR_WEIGHTS
    for number in range(passes):
        progress(f"pass {number + 1} of {passes}")
        labels, curve = labeller(training_set.evidence, prior, None)
        lists = fitter.predict(labels)
        weights = fitter.weigh(lists, labels)
        prior = fitter.believe(lists, weights)
    progress("final labels and adapter")
    labels, curve = labeller(training_set.evidence, prior, None)
    adaptation = learn_adapter(fitter.judge(labels), fitter.document_vectors.vectors, _FINAL_STEPS, seed)
    return Learned(adaptation, fitter.document_vectors.ids, remember(labels), weights, curve, labels)


class DocumentVectors:
    """The documents of a corpus by number, for the learners."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.ids = corpus.ids()
        self.number = {document: place for place, document in enumerate(self.ids)}
        rows = [row for document in self.ids if (row := corpus.row(document)) is not None]
        self.vectors: Floats = corpus.means(rows)

    def names(self, found: Candidates) -> list[str]:
        """Return the document ids of candidates."""
        return [self.corpus.name(row) for row in found.rows]


def remember(labels: list[Label]) -> dict[str, dict[str, float]]:
    """Return what the memory keeps of labels: by query key, documents worth remembering."""
    choices: dict[str, dict[str, float]] = {}
    for label in labels:
        if label.relevance >= _WORTH_REMEMBERING:
            choices.setdefault(label.query_key, {})[label.document_id] = label.relevance
    return choices


def softmax_of(names: list[str], scores: Floats) -> dict[str, float]:
    """Return the hundred largest probabilities that log-odds scores stand for, by name."""
    if not names:
        return {}
    odds = np.exp((scores - scores.max()).astype(np.float64))
    chances = odds / odds.sum()
    best = np.argsort(-chances)[:_PRIOR_CANDIDATES].tolist()
    return {names[place]: float(chances[place]) for place in best}


class CrossFitter:
    """A training set's folds: models that each learned without one fold, and what they predict for it.

    From pass to pass a fold's model goes on from where it was: it still has never seen its fold.
    """

    def __init__(self, training_set: TrainingSet, corpus: Corpus, seed: int) -> None:
        self.document_vectors = DocumentVectors(corpus)
        self._training_set = training_set
        self._seed = seed
        self._vectors = {query.key: query.vector for query in training_set.queries}
        self._readings = [read(corpus, query) for query in training_set.queries]
        self._drafts: list[Adaptation | None] = [None] * FOLDS

    def believe_untaught(self) -> Prior:
        """Return the probabilities of relevance by query key as weights of other collections see them."""
        ranker = Ranker(
            self.document_vectors.corpus,
            RankingModel(QueryMemory([], self.document_vectors.corpus.dense.dimension)),
        )
        return self.believe(self._gather(ranker, range(len(self._training_set.queries))), PRIOR_WEIGHTS)

    def believe(self, lists: list[Candidates], weights: dict[str, float]) -> Prior:
        """Return the probabilities of relevance by query key under fusion weights."""
        return {
            query.key: softmax_of(self.document_vectors.names(found), fuse(found.values, "linear", weights))
            for query, found in zip(self._training_set.queries, lists, strict=True)
        }

    def predict(self, labels: list[Label]) -> list[Candidates]:
        """Return each query's candidates as a model saw them that never learned from its fold."""
        chosen = remember(labels)
        past = [Remembered(key, self._vectors[key], choices) for key, choices in chosen.items()]
        found: dict[int, Candidates] = {}
        for fold in range(FOLDS):
            places = np.flatnonzero(self._training_set.folds == fold).tolist()
            inside = {self._training_set.queries[place].key for place in places}
            others = self.judge([label for label in labels if label.query_key not in inside])
            steps = _DRAFT_STEPS if self._drafts[fold] is None else _REDRAFT_STEPS
            draft = learn_adapter(others, self.document_vectors.vectors, steps, self._seed, self._drafts[fold])
            self._drafts[fold] = draft
            memory = QueryMemory(
                [query for query in past if query.key not in inside], self.document_vectors.vectors.shape[1]
            )
            ranker = Ranker(
                self.document_vectors.corpus,
                RankingModel(memory, draft.adapter, draft.residuals(self.document_vectors.ids)),
            )
            found.update(zip(places, self._gather(ranker, places), strict=True))
        return [found[place] for place in range(len(self._training_set.queries))]

    def weigh(self, lists: list[Candidates], labels: list[Label]) -> dict[str, float]:
        """Return the fusion weights that the labels ask for; the prior weights when they ask for nothing."""
        values, targets, weights = self.target(lists, labels)
        return learn_weights(stack_lists(values, targets, weights), PRIOR_WEIGHTS) if values else PRIOR_WEIGHTS

    def target(self, lists: list[Candidates], labels: list[Label]) -> tuple[list[Floats], list[Floats], Floats]:
        """Return features, relevance and weight of the queries with a relevant candidate."""
        relevance, weight = _by_query(labels)
        values, targets, weights = [], [], []
        for query, found in zip(self._training_set.queries, lists, strict=True):
            wanted = relevance.get(query.key, {})
            target = np.array([wanted.get(name, 0.0) for name in self.document_vectors.names(found)], dtype=np.float32)
            if target.sum() > 0:
                values.append(found.values)
                targets.append(target)
                weights.append(weight[query.key])
        return values, targets, np.array(weights, dtype=np.float32)

    def judge(self, labels: list[Label]) -> Judgments:
        """Return labels as the adapter's learner takes them; documents deleted since are left out."""
        number = self.document_vectors.number
        kept = [label for label in labels if label.relevance >= _WORTH_LEARNING and label.document_id in number]
        keys = sorted({label.query_key for label in kept})
        place = {key: index for index, key in enumerate(keys)}
        weights = {label.query_key: label.weight for label in kept}
        vectors = [self._vectors[key] for key in keys]
        return Judgments(
            queries=np.stack(vectors) if vectors else np.zeros((0, self.document_vectors.vectors.shape[1]), np.float32),
            weights=np.array([weights[key] for key in keys], dtype=np.float32),
            query=np.array([place[label.query_key] for label in kept], dtype=np.int64),
            document=np.array([number[label.document_id] for label in kept], dtype=np.int64),
            relevance=np.array([label.relevance for label in kept], dtype=np.float32),
        )

    def _gather(self, ranker: Ranker, places: Iterable[int]) -> list[Candidates]:
        return [
            ranker.candidates(self._training_set.queries[place], first_stage=self._readings[place]) for place in places
        ]


def _by_query(labels: list[Label]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    relevance: dict[str, dict[str, float]] = {}
    weight: dict[str, float] = {}
    for label in labels:
        relevance.setdefault(label.query_key, {})[label.document_id] = label.relevance
        weight[label.query_key] = label.weight
    return relevance, weight
