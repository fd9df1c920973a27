"""Predictions of models for queries that they have not learned from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Label
from retrainer.learners.adapter import Adaptation, Judgments, learn_adapter
from retrainer.learners.belief import Relevance, relevance_of, softmax_of
from retrainer.learners.documents import DocumentVectors
from retrainer.learners.fusion import learn_weights, stack_lists
from retrainer.learners.memory import remember
from retrainer.learners.priors import PRIOR_WEIGHTS
from retrainer.learners.training_set import FOLDS, TrainingSet
from serving.index.corpus import Corpus
from serving.ranking.features import FEATURES, Candidates
from serving.ranking.fusion import fuse
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import retrieve
from serving.ranking.tower.static_tower import StaticTower

_DRAFT_STEPS = 50
_REDRAFT_STEPS = 25
_MIN_RELEVANCE = 0.05


class CrossFitter:
    """A training set's folds: models that each learned without one fold, and what they predict for it.

    From pass to pass a fold's model goes on from where it was: it still has never seen its fold.

    Attributes:
        keys: The queries' keys, in the order of their lists.
        folds: The queries' folds, shape (n,).
    """

    def __init__(self, training_set: TrainingSet, corpus: Corpus, seed: int) -> None:
        self.document_vectors = DocumentVectors(corpus)
        self._training_set = training_set
        self.keys = [query.key for query in training_set.queries]
        self.folds = training_set.folds
        self._seed = seed
        self._fields = training_set.fields
        self._dimension = corpus.dense.dimension
        self._vectors = {query.key: query.vector for query in training_set.queries}
        self._first_stages = [retrieve(corpus, query) for query in training_set.queries]
        self._drafts: list[Adaptation | None] = [None] * FOLDS
        self._models: dict[int, RankingModel] = {}

    def believe_untaught(self) -> Relevance:
        """Return the probabilities of relevance by query key as weights of other collections see them."""
        untaught = RankingModel(QueryMemory([], self._dimension), fields=self._fields)
        return self.believe(self._gather(untaught, range(len(self._training_set.queries))), PRIOR_WEIGHTS)

    def believe(self, lists: list[Candidates], weights: dict[str, float]) -> Relevance:
        """Return the probabilities of relevance by query key under fusion weights."""
        return {
            query.key: softmax_of(
                self.document_vectors.names(found), fuse(found.values, "linear", weights, found.names)
            )
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
            others = self.judge(self.leave_out(fold, labels))
            steps = _DRAFT_STEPS if self._drafts[fold] is None else _REDRAFT_STEPS
            draft = learn_adapter(others, self.document_vectors.vectors, steps, self._seed, self._drafts[fold])
            self._drafts[fold] = draft
            memory = QueryMemory([query for query in past if query.key not in inside], self._dimension)
            residuals = draft.residuals(self.document_vectors.ids)
            self._models[fold] = RankingModel(memory, draft.adapter, residuals, fields=self._fields)
            found.update(zip(places, self._gather(self._models[fold], places), strict=True))
        return [found[place] for place in range(len(self._training_set.queries))]

    def predict_with(self, towers: Sequence[StaticTower]) -> list[Candidates]:
        """Return each query's candidates as the models of the last `predict` see them, each with a tower.

        Args:
            towers: By fold; each learned without its fold.
        """
        found: dict[int, Candidates] = {}
        for fold, tower in enumerate(towers):
            places = np.flatnonzero(self._training_set.folds == fold).tolist()
            found.update(zip(places, self._gather(replace(self._models[fold], tower=tower), places), strict=True))
        return [found[place] for place in range(len(self._training_set.queries))]

    def leave_out(self, fold: int, labels: list[Label]) -> list[Label]:
        """Return the labels of the queries outside a fold."""
        inside = {key for key, mine in zip(self.keys, self.folds.tolist(), strict=True) if mine == fold}
        return [label for label in labels if label.query_key not in inside]

    def weigh(self, lists: list[Candidates], labels: list[Label], prior: dict[str, float]) -> dict[str, float]:
        """Return the fusion weights that the labels ask for, held by prior ones; these when they ask for nothing."""
        values, targets, weights = self.target(lists, labels)
        names = (*FEATURES, *self._fields)
        return learn_weights(stack_lists(values, targets, weights, names), prior) if values else prior

    def target(self, lists: list[Candidates], labels: list[Label]) -> tuple[list[Floats], list[Floats], Floats]:
        """Return features, relevance and weight of the queries with a relevant candidate."""
        relevance, weight = relevance_of(labels), {label.query_key: label.weight for label in labels}
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
        kept = [label for label in labels if label.relevance >= _MIN_RELEVANCE and label.document_id in number]
        keys = sorted({label.query_key for label in kept})
        place = {key: index for index, key in enumerate(keys)}
        weights = {label.query_key: label.weight for label in kept}
        vectors = [self._vectors[key] for key in keys]
        return Judgments(
            queries=np.stack(vectors) if vectors else np.zeros((0, self._dimension), np.float32),
            weights=np.array([weights[key] for key in keys], dtype=np.float32),
            query=np.array([place[label.query_key] for label in kept], dtype=np.int64),
            document=np.array([number[label.document_id] for label in kept], dtype=np.int64),
            relevance=np.array([label.relevance for label in kept], dtype=np.float32),
            keys=tuple(keys),
        )

    def _gather(self, model: RankingModel, places: Iterable[int]) -> list[Candidates]:
        ranker = Ranker(self.document_vectors.corpus, model)
        return [ranker.candidates(self._first_stages[place]) for place in places]
