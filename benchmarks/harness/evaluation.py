"""A judged collection in memory, as the benches search it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from foundation.contracts import Document, query_key
from foundation.settings import Settings
from retrainer.learners.alternation import Learned
from serving.encode.embedder import StoredEmbedder
from serving.encode.form import open_encoder
from serving.encode.query import Query
from serving.index.corpus import Corpus, Embedder
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from simulator.collection import JudgedCollection, Judgments
from simulator.quality import ndcg

Floats = npt.NDArray[np.float32]

DEPTH = 10


class EvaluationHarness:
    """A judged collection in memory, its queries by their keys.

    Attributes:
        asked: Grades by key and document of the queries that users ask.
        held_out: The same of queries that nobody asks in a simulation.

    Args:
        embedder: Reads the queries, and the documents too where nothing else does.
        documents: Reads the documents.
    """

    def __init__(
        self, collection: JudgedCollection, embedder: Embedder, dimension: int, documents: Embedder | None = None
    ) -> None:
        self.collection = collection
        self.asked = self._by_key("train")
        self.held_out = {key: grades for key, grades in self._by_key("test").items() if key not in self.asked}
        keys = sorted(self.asked | self.held_out)
        self._vectors = dict(zip(keys, embedder.embed(keys), strict=True))
        self._production: dict[str, float] = {}
        self.corpus = Corpus(dimension)
        self.corpus.apply(
            [
                Document(document["id"], document["title"], document["text"], change=change)
                for change, document in enumerate(collection.documents, start=1)
            ],
            documents or embedder,
        )

    def encode(self, keys: list[str]) -> Floats:
        """Return the vectors of query keys, float32 of shape (len(keys), dimension)."""
        return np.stack([self._vectors[key] for key in keys])

    def query(self, key: str) -> Query:
        """Return a query by its key."""
        return Query(key, key, self._vectors[key])

    def vectors(self, keys: list[str]) -> Floats:
        """Return the vectors of queries, shape (queries, dimension)."""
        return np.stack([self._vectors[key] for key in keys])

    def untaught(self) -> RankingModel:
        """Return the production ranking: the hybrid with untuned fusion, and no memory."""
        return RankingModel(QueryMemory([], self.corpus.dense.dimension))

    def model(self, learned: Learned, change: int) -> RankingModel:
        """Return what was learned as a version that knows the evidence up to `change`."""
        past = [Remembered(key, self._vectors[key], chosen) for key, chosen in learned.choices.items()]
        return RankingModel(
            memory=QueryMemory(past, self.corpus.dense.dimension),
            adapter=learned.adaptation.adapter,
            residuals=learned.adaptation.residuals(learned.documents),
            memory_change=change,
            fusion="linear",
            weights=learned.weights,
            curve=learned.curve,
            tower=learned.tower,
        )

    def quality(self, ranker: Ranker, keys: Iterable[str]) -> float:
        """Return the mean nDCG@10 of a ranker over queries, asked or held out."""
        return fmean(self._judge(ranker, keys).values())

    def harmed(self, ranker: Ranker, keys: Iterable[str]) -> float:
        """Return the share of queries for which a ranker has a lower nDCG@10 than the production ranking."""
        before, after = self._judge_production(), self._judge(ranker, keys)
        return fmean(value < before[key] for key, value in after.items())

    def production_quality(self, keys: Iterable[str]) -> float:
        """Return the mean nDCG@10 of the production ranking over queries."""
        before = self._judge_production()
        return fmean(before[key] for key in keys)

    def _judge(self, ranker: Ranker, keys: Iterable[str]) -> dict[str, float]:
        rankings = {key: [hit.document_id for hit in ranker.search(self.query(key), DEPTH).hits] for key in keys}
        return ndcg(self.asked | self.held_out, rankings)

    def _judge_production(self) -> dict[str, float]:
        if not self._production:
            ranker = Ranker(self.corpus, self.untaught())
            self._production.update(self._judge(ranker, self.asked | self.held_out))
        return self._production

    def _by_key(self, split: str) -> Judgments:
        found: Judgments = {}
        for query, grades in self.collection.split(split).items():
            if any(grade > 0 for grade in grades.values()):
                found.setdefault(query_key(self.collection.queries[query]), {}).update(grades)
        return found


def open_harness(collection: JudgedCollection, settings: Settings) -> EvaluationHarness:
    """Return a collection encoded and indexed; vectors are kept in the home folder of the settings."""
    home = Path(settings.home)
    encoder = open_encoder(settings.model, home / "onnx", settings.encoder_precision, settings.encoder_threads)
    return EvaluationHarness(collection, StoredEmbedder(encoder, home, late=False), encoder.dimension)
