from __future__ import annotations

import zlib
from collections import Counter

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import Document, Label
from retrainer.learners.encoder import pairs as room
from retrainer.learners.encoder.pairs import TrainingPair, draw_pairs, make_pairs
from serving.encode.query import Query
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder

DIMENSION = 32
WORDS = ("red", "blue", "green", "round", "flat", "tall")


def embed(texts: list[str]) -> Floats:
    rows = [sum(_word(word) for word in text.lower().replace(".", "").split()) for text in texts]
    vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _word(word: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)


@pytest.fixture
def corpus() -> Corpus:
    corpus = Corpus(DIMENSION)
    documents = [
        Document(f"{one}-{other}", f"{one} {other}", f"{one}. " * 40 + f"Things that are {other}. " * 20, change=number)
        for number, (one, other) in enumerate(((one, other) for one in WORDS for other in WORDS if one != other), 1)
    ]
    corpus.apply(documents, PlainEmbedder(embed))
    return corpus


def queries(*keys: str) -> dict[str, Query]:
    return {key: Query(key, key, vector) for key, vector in zip(keys, embed(list(keys)), strict=True)}


def test_the_passage_nearest_to_the_query_is_learned(corpus: Corpus) -> None:
    (pair,) = make_pairs([Label("things blue", "red-blue", 1.0, 2.0)], corpus, queries("things blue"), 0)
    assert "Things that are blue" in pair.passage
    assert pair.weight == 2.0
    assert pair.negative == ""


def test_negatives_are_near_and_nobody_is_known_to_want_them(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MIN_MINED", 1)
    labels = [Label("red blue", "red-blue", 1.0, 1.0), Label("red blue", "blue-red", 0.2, 1.0)]
    mined = {make_pairs(labels, corpus, queries("red blue"), seed)[0].negative for seed in range(20)}
    assert all("red" in text or "blue" in text for text in mined)
    assert not any(text.startswith(("red blue", "blue red")) for text in mined)
    assert len(mined) > 1


def test_documents_that_are_gone_and_doubtful_labels_teach_nothing(corpus: Corpus) -> None:
    labels = [Label("red", "gone", 1.0, 1.0), Label("red", "red-tall", 0.1, 1.0), Label("red", "red-flat", 1.0, 0.0)]
    assert make_pairs(labels, corpus, queries("red"), 0) == []


def test_no_document_fills_the_training(corpus: Corpus) -> None:
    keys = [f"red {number}" for number in range(80)]
    labels = [Label(key, "red-tall", 1.0, 1.0) for key in keys]
    assert len(make_pairs(labels, corpus, queries(*keys), 0)) == 50


def test_equal_weights_are_drawn_evenly_and_others_in_proportion() -> None:
    even = [TrainingPair(str(number), "p", 0.5) for number in range(10)]
    assert set(Counter(draw_pairs(even, 30, seed=1)).values()) == {3}
    uneven = [TrainingPair("often", "p", 3.0), TrainingPair("seldom", "p", 1.0)]
    assert Counter(pair.query for pair in draw_pairs(uneven, 40, seed=1)) == {"often": 30, "seldom": 10}
