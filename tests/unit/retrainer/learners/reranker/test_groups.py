from __future__ import annotations

import zlib

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import Document, Label
from retrainer.learners.reranker.groups import OTHERS, make_groups
from serving.encode.query import Query
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder

DIMENSION = 32
WORDS = ("red", "blue", "green", "round", "flat")


def embed(texts: list[str]) -> Floats:
    rows = [
        np.sum(
            [
                np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)
                for word in text.lower().replace(".", "").split()
            ],
            axis=0,
        )
        for text in texts
    ]
    vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def make_corpus(count: int = 20) -> Corpus:
    corpus = Corpus(DIMENSION)
    pairs = [(one, other) for one in WORDS for other in WORDS if one != other][:count]
    documents = [
        Document(f"{one}-{other}", f"{one} {other}", f"It is {one} and {other}.", change=number)
        for number, (one, other) in enumerate(pairs, 1)
    ]
    corpus.apply(documents, PlainEmbedder(embed))
    return corpus


QUERY = Query("red blue", "red blue", embed(["red blue"])[0])


def test_the_answer_comes_first_and_nobody_is_known_to_want_the_others() -> None:
    labels = [Label("red blue", "red-blue", 0.8, 1.0), Label("red blue", "blue-red", 0.2, 1.0)]

    (group,) = make_groups(labels, make_corpus(), {"red blue": QUERY}, 0)

    assert group.passages[0].startswith("red blue")
    assert len(group.passages) == 1 + OTHERS
    assert len(set(group.passages)) == 1 + OTHERS
    assert not any(passage.startswith(("red blue", "blue red")) for passage in group.passages[1:])
    assert group.relevance == pytest.approx(0.8)


def test_the_others_are_alike_to_the_query() -> None:
    (group,) = make_groups([Label("red blue", "red-blue", 1.0, 1.0)], make_corpus(), {"red blue": QUERY}, 0)

    assert sum("red" in passage or "blue" in passage for passage in group.passages[1:]) >= OTHERS - 1


@pytest.mark.parametrize(("count", "relevance"), [(OTHERS, 1.0), (20, 0.1), (0, 1.0)])
def test_without_enough_documents_or_an_answer_there_is_no_group(count: int, relevance: float) -> None:
    assert (
        make_groups([Label("red blue", "red-blue", relevance, 1.0)], make_corpus(count), {"red blue": QUERY}, 0) == []
    )
