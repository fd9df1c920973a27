"""Small corpora for tests, embedded by what is as good as chance."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from foundation.arrays import Floats
from serving.catalog.submission import read_document
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder

DIMENSION = 16


def make_corpus(documents: Sequence[dict[str, Any]]) -> Corpus:
    """Return a corpus of documents as clients send them."""
    corpus = Corpus(DIMENSION)
    add(corpus, documents)
    return corpus


def add(corpus: Corpus, documents: Sequence[dict[str, Any]]) -> None:
    """Add documents to a corpus, or change those that are there."""
    read = [read_document(one) for one in documents]
    changes = [
        one.__class__(one.id, one.title, one.text, one.url, one.fields, corpus.change + number)
        for number, one in enumerate(read, start=1)
        if not isinstance(one, tuple)
    ]
    corpus.apply(changes, PlainEmbedder(_encode))


def _encode(texts: list[str]) -> Floats:
    rows = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=DIMENSION) for text in texts]
    vectors = np.array(rows, np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit
