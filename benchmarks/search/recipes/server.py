"""The search service that an engineer writes in an afternoon: bm25s, FAISS HNSW and RRF behind FastAPI.

It has the encoder that clickloop has, in the same form, so that what differs is all else. It logs nothing, takes no
changes, and knows neither filters nor experiments.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bm25s
import faiss
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from serving.encode.form import open_encoder

ARTICLES, VECTORS, FORMS = "articles.jsonl", "vectors.npy", "onnx"
_DEPTH, _RRF_K, _LINKS, _LOOKED_AT, _SHOWN = 100, 60, 32, 128, 200


class PlainSearch(BaseModel):
    """What a client sends; more keys than it reads are no fault."""

    query: str
    limit: int = 10


def make_app(folder: Path) -> FastAPI:
    """Return the service over the articles, vectors and encoder in a folder."""
    articles = [json.loads(line) for line in (folder / ARTICLES).read_text().splitlines()]
    vectors = np.load(folder / VECTORS)
    encoder = open_encoder("", folder / FORMS, "int8", threads=1)
    words = bm25s.BM25()
    texts = [f"{article['title']} {article['text']}" for article in articles]
    words.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    meaning = faiss.IndexHNSWFlat(vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    meaning.hnsw.efSearch = _LOOKED_AT
    meaning.add(vectors)
    faiss.omp_set_num_threads(1)
    depth = min(_DEPTH, len(articles))
    app = FastAPI()

    @app.post("/search")
    def search(asked: PlainSearch) -> dict[str, Any]:
        tokens = bm25s.tokenize([asked.query], stopwords="en", show_progress=False)
        by_words = words.retrieve(tokens, k=depth, show_progress=False).documents[0]
        _, by_meaning = meaning.search(encoder.encode([asked.query]), depth)
        scores: dict[int, float] = {}
        for ranked in (by_words, by_meaning[0]):
            for rank, place in enumerate(ranked.tolist(), start=1):
                scores[place] = scores.get(place, 0.0) + 1 / (_RRF_K + rank)
        best = sorted(scores, key=lambda place: -scores[place])[: asked.limit]
        return {"hits": [{**articles[place], "text": articles[place]["text"][:_SHOWN]} for place in best]}

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False)
