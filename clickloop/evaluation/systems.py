"""The retrieval systems that can be compared, each ranking all queries of a judged collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from clickloop.container import Container
from clickloop.evaluation.run_files import Run, read_run
from foundation.contracts import DEFAULT_COLLECTION, Document, query_key
from foundation.errors import InvalidRequest
from serving.encode.embedder import StoredEmbedder
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel, load_model
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import read_query
from simulator.collection import JudgedCollection

RERANK = "rerank"
Rank = Callable[[Query], dict[str, float]]

BUILT_IN = ("bm25", "dense", "rrf", "hybrid", RERANK)
"""Words, meaning, both by reciprocal rank fusion, by convex combination, and that with late interaction."""


class Systems:
    """A collection in memory with everything that can rank it, at most `depth` documents for a query.

    Args:
        late: Whether documents get the token vectors that `rerank` needs.
    """

    def __init__(self, container: Container, collection: JudgedCollection, depth: int, *, late: bool = False) -> None:
        self._container = container
        self._depth = depth
        encoder = container.encoder
        self._embedder = StoredEmbedder(encoder, Path(container.settings.home), late=late)
        self._embed = self._embedder.embed_queries
        self._untuned = RankingModel(QueryMemory([], encoder.dimension))
        self.corpus = Corpus(encoder.dimension)
        documents = [
            Document(one["id"], one["title"], one["text"], change=change)
            for change, one in enumerate(collection.documents, start=1)
        ]
        self.corpus.apply(documents, self._embedder)

    def rank(self, system: str, queries: Mapping[str, str]) -> Run:
        """Return the scores by query id and document id that a system gives, at most `depth` a query.

        Args:
            system: One of `BUILT_IN`, a version's id, or the path of a TREC run file.

        Raises:
            InvalidRequest: There is no such system, or the file is not a run.
            NotFound: There is no such version.
        """
        if Path(system).is_file():
            found = read_run(Path(system))
            ranked = {query: sorted(found.get(query, {}).items(), key=lambda pair: -pair[1]) for query in queries}
            return {query: dict(scores[: self._depth]) for query, scores in ranked.items()}
        rank = self._ranker(system)
        return {query: rank(self._read(text, late=system == RERANK)) for query, text in queries.items()}

    def _read(self, text: str, *, late: bool) -> Query:
        query = read_query(self.corpus, self._embedder, text, query_key(text))
        return query if late else replace(query, tokens=None)

    def _ranker(self, system: str) -> Rank:
        match system:
            case "bm25":
                return self._by_words
            case "dense":
                return self._by_meaning
            case "hybrid" | "rerank":
                return self._by(self._untuned)
            case "rrf":
                return self._by(replace(self._untuned, fusion="rrf"))
        if not system.startswith("v-"):
            known = ", ".join(BUILT_IN)
            raise InvalidRequest(f"there is no system {system!r}; take {known}, a version's id or a TREC run file")
        manifest = self._container.registry.get(DEFAULT_COLLECTION, system).manifest
        fetch = self._container.registry.artifacts.get
        return self._by(load_model(manifest, fetch, self._embed, self._container.encoder.dimension))

    def _by(self, model: RankingModel) -> Rank:
        ranker = Ranker(self.corpus, model)
        return lambda query: {hit.document_id: hit.score for hit in ranker.search(query, self._depth).hits}

    def _by_words(self, query: Query) -> dict[str, float]:
        found = self.corpus.lexical.search(query.words, self._depth)
        return {self.corpus.name(row): score for row, score in found.items()}

    def _by_meaning(self, query: Query) -> dict[str, float]:
        """Rank by the best passage; passages are asked for in plenty, for documents have several."""
        scores: dict[str, float] = {}
        for row in self.corpus.dense.search(query.vector, 5 * self._depth)[: self._depth]:
            passages, _ = self.corpus.passage_vectors(np.array([row]))
            scores[self.corpus.name(row)] = float((passages @ query.vector).max())
        return scores
