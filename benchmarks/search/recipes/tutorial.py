"""Bar 1: the search that a tutorial teaches, as its readers write it, to compare with.

rank_bm25 over lower-cased words, sentence-transformers on torch, FAISS flat, reciprocal rank fusion,
all in one process and without HTTP. Its documents have one vector each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi
from sentence_transformers import SentenceTransformer

from benchmarks.harness.report import Bar, at_least
from clickloop.container import Container
from foundation.contracts import DEFAULT_COLLECTION
from foundation.disk.files import whole_file
from foundation.settings import Settings
from serving.encode.form import packaged_model

Floats = npt.NDArray[np.float32]

_DEPTH = 100
_RRF_K = 60
_QUERIES = 60
_RATIO = 20.0


class TutorialSearch:
    """BM25 and dense retrieval of whole documents, fused by their ranks.

    Args:
        documents: With `id`, `title` and `text`.
        vectors: Of the documents, float32 of shape (documents, 384); made by torch when None.
    """

    def __init__(self, documents: Sequence[dict[str, Any]], vectors: Floats | None = None) -> None:
        texts = [f"{document['title']} {document['text']}" for document in documents]
        self._ids = [str(document["id"]) for document in documents]
        self._words = BM25Okapi([text.lower().split() for text in texts])
        self._model = SentenceTransformer(str(packaged_model()), device="cpu")
        self.vectors = self._embed(texts) if vectors is None else vectors
        self._index = faiss.IndexFlatIP(self.vectors.shape[1])
        self._index.add(self.vectors)

    def search(self, query: str, depth: int = _DEPTH) -> dict[str, float]:
        """Return the scores of the best documents by id."""
        depth = min(depth, len(self._ids))  # FAISS pads what is missing with -1
        by_words = np.argsort(-self._words.get_scores(query.lower().split()))[:depth]
        _, by_meaning = self._index.search(self._embed([query]), depth)
        scores: dict[str, float] = {}
        for ranked in (by_words, by_meaning[0]):
            for rank, place in enumerate(ranked.tolist(), start=1):
                scores[self._ids[place]] = scores.get(self._ids[place], 0.0) + 1 / (_RRF_K + rank)
        return dict(sorted(scores.items(), key=lambda pair: -pair[1])[:depth])

    def _embed(self, texts: list[str]) -> Floats:
        vectors: Floats = self._model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return vectors


def remember(documents: Sequence[dict[str, Any]], kept: Path) -> TutorialSearch:
    """Return the search over documents whose vectors are kept in a file, made by torch when it is not there."""
    search = TutorialSearch(documents, np.load(kept) if kept.exists() else None)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as draft, draft.open("wb") as out:
            np.save(out, search.vectors)
    return search


def measure_recipe(
    settings: Settings, articles: Sequence[dict[str, Any]], queries: Sequence[str], bars: Sequence[Bar]
) -> tuple[list[Bar], dict[str, Any]]:
    """Return how much longer the recipe takes for a search than the service took over HTTP.

    The articles' vectors are those of the service, one mean a document: the time of a flat index does
    not depend on its numbers, and torch would take over an hour to make them.

    Args:
        bars: What was measured of the service; its first median is compared with.
    """
    container = Container(settings)
    corpus = container.snapshots.open(DEFAULT_COLLECTION)
    found = [(article, row) for article in articles if (row := corpus.row(str(article["id"]))) is not None]
    search = TutorialSearch([article for article, _ in found], corpus.means([row for _, row in found]))
    container.snapshots.close(DEFAULT_COLLECTION, corpus)
    times = []
    for query in queries[:_QUERIES]:
        began = perf_counter()
        search.search(query)
        times.append(perf_counter() - began)
    recipe_ms = 1000 * float(np.median(times[5:]))
    ours_ms = next(bar.value for bar in bars if bar.id == "search.2" and bar.what.startswith("median"))
    said = "median of the tutorial's recipe, without HTTP, by ours over HTTP, ratio"
    return [at_least("search.1", said, recipe_ms / ours_ms, _RATIO)], {
        "documents of the recipe": len(found),
        "median ms of the recipe": round(recipe_ms, 1),
        "median ms of ours": ours_ms,
    }
