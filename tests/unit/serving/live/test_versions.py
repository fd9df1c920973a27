"""What a version must do before it serves."""

from __future__ import annotations

from typing import cast

import pytest

from foundation.arrays import Floats
from foundation.errors import ClickloopError
from serving.encode.encoder import Encoder
from serving.index.corpus import Corpus
from serving.live.versions import verify
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from tests.catalogs import DIMENSION, make_corpus

DOCUMENTS = [{"id": f"d{number}", "title": f"fudido tokera {number}"} for number in range(12)]


class FarEncoder:
    """Reads every question as the opposite of what the documents mean."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def encode_query(self, _: str) -> Floats:
        return -self._corpus.dense.centre()


def check(corpus: Corpus) -> None:
    model = RankingModel(QueryMemory([], DIMENSION))
    verify(Ranker(corpus, model), cast("Encoder", FarEncoder(corpus)))


def test_a_version_serves_documents_that_are_far_from_any_question() -> None:
    check(make_corpus(DOCUMENTS))


def test_a_version_that_finds_nothing_does_not_serve() -> None:
    corpus = make_corpus(DOCUMENTS)
    for row in range(corpus.size):
        corpus.lexical.remove(row)
    corpus.lexical.commit()

    with pytest.raises(ClickloopError, match="finds nothing"):
        check(corpus)


def test_a_version_serves_before_there_are_documents() -> None:
    check(make_corpus([]))
