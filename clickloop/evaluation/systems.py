"""The retrieval systems that can be compared, each ranking all queries of a judged collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clickloop.container import Container
from clickloop.evaluation.run_files import Run, read_run
from foundation.contracts import DEFAULT_COLLECTION, Document, Manifest, query_key
from foundation.errors import InvalidRequest
from serving.encode.embedder import StoredEmbedder
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.passages import words_for
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel, load_model
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import read_query
from simulator.collection import JudgedCollection

RERANK = "rerank"
Rank = Callable[[Query], dict[str, float]]

BUILT_IN = ("bm25", "dense", "rrf", "hybrid", RERANK)
"""Words, meaning, both by reciprocal rank fusion, by convex combination, and that with late interaction."""


@dataclass(frozen=True, slots=True)
class _EmbeddedCorpus:
    """The documents, and what embedded them."""

    embedder: StoredEmbedder
    corpus: Corpus


class Systems:
    """A collection in memory with everything that can rank it, at most `depth` documents for a query.

    Args:
        late: Whether documents get the token vectors that `rerank` needs.
    """

    def __init__(self, container: Container, collection: JudgedCollection, depth: int, *, late: bool = False) -> None:
        self._container = container
        self._depth = depth
        self._documents = [
            Document(one["id"], one["title"], one["text"], change=change)
            for change, one in enumerate(collection.documents, start=1)
        ]
        own = StoredEmbedder(container.encoder, Path(container.settings.home), late=late)
        self._corpora: dict[str, _EmbeddedCorpus] = {}
        self._own = self._embed(own)
        self._untuned = RankingModel(QueryMemory([], own.encoder.dimension))

    @property
    def corpus(self) -> Corpus:
        """The documents as the encoder of the settings reads them."""
        return self._own.corpus

    def rank(self, system: str, queries: Mapping[str, str], encoder: Manifest | None = None) -> Run:
        """Return the scores by query id and document id that a system gives, at most `depth` a query.

        Args:
            system: One of `BUILT_IN`, a version's id, or the path of a TREC run file.
            encoder: A version whose encoder a system of `BUILT_IN` reads by; that of the settings without one.

        Raises:
            InvalidRequest: There is no such system, or the file is not a run.
            NotFound: There is no such version.
        """
        if Path(system).is_file():
            found = read_run(Path(system))
            ranked = {query: sorted(found.get(query, {}).items(), key=lambda pair: -pair[1]) for query in queries}
            return {query: dict(scores[: self._depth]) for query, scores in ranked.items()}
        if system in BUILT_IN:
            read = self._own if encoder is None else self._read_by(encoder)
            return self._ask(read, self._built_in(system, read.corpus), queries, late=system == RERANK)
        if not system.startswith("v-"):
            known = ", ".join(BUILT_IN)
            raise InvalidRequest(f"there is no system {system!r}; take {known}, a version's id or a TREC run file")
        return self.rank_by(self._container.registry.get(DEFAULT_COLLECTION, system).manifest, queries)

    def rank_by(self, manifest: Manifest, queries: Mapping[str, str]) -> Run:
        """Return the scores that a version gives, its documents embedded by its own encoder."""
        read = self._read_by(manifest)
        fetch, encoder = self._container.registry.artifacts.get, read.embedder
        model = load_model(manifest, fetch, encoder.embed_queries, encoder.encoder.dimension)
        return self._ask(read, self._by(model, read.corpus), queries)

    def _read_by(self, manifest: Manifest) -> _EmbeddedCorpus:
        """Return the documents as a version's encoder reads them."""
        embedder = self._container.encoders.of(manifest, self._container.registry.artifacts.get)
        return self._own if embedder.encoder.digest == self._container.encoder.digest else self._embed(embedder)

    def _embed(self, embedder: StoredEmbedder) -> _EmbeddedCorpus:
        """Return the documents as an encoder reads them; each encoder reads them once."""
        name = embedder.encoder.digest
        if name not in self._corpora:
            corpus = Corpus(embedder.encoder.dimension, passage_words=words_for(embedder.encoder.max_tokens))
            corpus.apply(self._documents, embedder)
            self._corpora[name] = _EmbeddedCorpus(embedder, corpus)
        return self._corpora[name]

    def _ask(self, read: _EmbeddedCorpus, rank: Rank, queries: Mapping[str, str], *, late: bool = False) -> Run:
        asked = {name: read_query(read.corpus, read.embedder, text, query_key(text)) for name, text in queries.items()}
        return {name: rank(query if late else replace(query, tokens=None)) for name, query in asked.items()}

    def _built_in(self, system: str, corpus: Corpus) -> Rank:
        match system:
            case "bm25":
                return lambda query: self._by_words(query, corpus)
            case "dense":
                return lambda query: self._by_meaning(query, corpus)
            case "rrf":
                return self._by(replace(self._untuned, fusion="rrf"), corpus)
        return self._by(self._untuned, corpus)

    def _by(self, model: RankingModel, corpus: Corpus) -> Rank:
        ranker = Ranker(corpus, model)
        return lambda query: {hit.document_id: hit.score for hit in ranker.search(query, self._depth).hits}

    def _by_words(self, query: Query, corpus: Corpus) -> dict[str, float]:
        found = corpus.lexical.search(query.words, self._depth)
        return {corpus.name(row): score for row, score in found.items()}

    def _by_meaning(self, query: Query, corpus: Corpus) -> dict[str, float]:
        """Rank by the best passage; passages are asked for in plenty, for documents have several."""
        scores: dict[str, float] = {}
        for row in corpus.dense.search(query.vector, 5 * self._depth)[: self._depth]:
            passages, _ = corpus.passage_vectors(np.array([row]))
            scores[corpus.name(row)] = float((passages @ query.vector).max())
        return scores
