"""A small corpus with an encoder that knows nothing but words."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from foundation.contracts import Document
from serving.encode.query import Query
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder

Floats = npt.NDArray[np.float32]
DIMENSION = 32


def embed_words(texts: list[str]) -> Floats:
    rows = [sum(map(_vector, text.lower().replace(".", "").split()), np.zeros(DIMENSION)) for text in texts]
    vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


def _vector(word: str) -> npt.NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)


@pytest.fixture
def embed() -> Callable[[list[str]], Floats]:
    return embed_words


@pytest.fixture
def ask() -> Callable[[str], Query]:
    return lambda text: Query(text, text.casefold(), embed_words([text])[0])


@pytest.fixture
def corpus() -> Corpus:
    corpus = Corpus(DIMENSION)
    corpus.apply(
        [
            Document(
                "fonts", "Choosing fonts", "Pick fonts for headings and text.", fields={"app": "writer"}, change=1
            ),
            Document(
                "pages", "Numbering pages", "Insert page numbers in the footer.", fields={"app": "writer"}, change=2
            ),
            Document("sums", "Adding cells", "Sum a column of cells.", fields={"app": ["calc", "base"]}, change=3),
            Document("charts", "Drawing charts", "Show cells as a chart.", fields={"app": "calc"}, change=4),
        ],
        PlainEmbedder(embed_words),
    )
    return corpus
