from __future__ import annotations

import zlib

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Document
from retrainer.learners.encoder.bridging import MIN_AGREEMENT, bridge_spaces
from serving.encode.query import Query
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder

DIMENSION = 16


def embed(texts: list[str]) -> Floats:
    rows = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=DIMENSION) for text in texts]
    vectors = np.array(rows, np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def turn(texts: list[str]) -> Floats:
    turned, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSION, DIMENSION)))
    return embed(texts) @ turned.astype(np.float32)


def otherwise(texts: list[str]) -> Floats:
    return embed([text[::-1] for text in texts])


def corpus(how: PlainEmbedder, count: int = 80) -> Corpus:
    made = Corpus(DIMENSION)
    made.apply([Document(f"d{number}", f"title {number}", "text", change=number + 1) for number in range(count)], how)
    return made


def queries(how: PlainEmbedder) -> list[Query]:
    texts = [f"query {number}" for number in range(20)]
    return [Query(text, text, vector) for text, vector in zip(texts, how.embed(texts), strict=True)]


def test_a_bridge_that_leads_to_the_same_answers_is_kept() -> None:
    new = PlainEmbedder(turn)
    bridge, agreement = bridge_spaces("old", corpus(PlainEmbedder(embed)), corpus(new), queries(new))
    assert bridge is not None
    assert bridge.source == "old"
    assert agreement > 0.9


def test_one_that_misleads_is_not() -> None:
    new = PlainEmbedder(otherwise)
    bridge, agreement = bridge_spaces("old", corpus(PlainEmbedder(embed)), corpus(new), queries(new))
    assert bridge is None
    assert agreement < MIN_AGREEMENT


def test_without_documents_there_is_nothing_to_learn_from() -> None:
    new = PlainEmbedder(turn)
    assert bridge_spaces("old", corpus(PlainEmbedder(embed), 0), corpus(new, 0), queries(new)) == (None, 0.0)
