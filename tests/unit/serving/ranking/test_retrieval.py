"""What is searched for is what was meant; evidence stays with what was typed."""

from __future__ import annotations

import pytest

from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import read_query
from tests.unit.serving.conftest import DIMENSION, embed_words


class WordEmbedder:
    """Knows one common word."""

    def read_query(self, text: str, key: str) -> Query:
        return Query(text, key, embed_words([text])[0])

    def is_common(self, word: str) -> bool:
        return word == "chat"

    def can_read(self, text: str) -> bool:
        return text.isascii()


def test_the_corrected_query_is_embedded_and_the_key_is_that_of_what_was_typed(corpus: Corpus) -> None:
    query = read_query(corpus, WordEmbedder(), "nubmering pages", "nubmering pages")

    assert (query.text, query.meant, query.key) == ("nubmering pages", "numbering pages", "nubmering pages")
    assert query.vector.tolist() == embed_words(["numbering pages"])[0].tolist()


@pytest.mark.parametrize("typed", ["nubmering pages", "nmubering pags", "numberring paegs", "numberinh pages"])
def test_a_slip_changes_no_rank(corpus: Corpus, typed: str) -> None:
    ranker = Ranker(corpus, RankingModel(QueryMemory([], DIMENSION)))
    right = ranker.search(read_query(corpus, WordEmbedder(), "numbering pages", "a"), 4)

    found = ranker.search(read_query(corpus, WordEmbedder(), typed, "b"), 4)

    assert found.hits[0].document_id == right.hits[0].document_id == "pages"


def test_common_words_and_known_ones_are_taken_as_they_are(corpus: Corpus) -> None:
    assert read_query(corpus, WordEmbedder(), "drawing chat", "k").meant == ""
    assert read_query(corpus, WordEmbedder(), "Drawing charts", "k").meant == ""
    assert read_query(corpus, WordEmbedder(), "drawing chrat", "k").meant == "drawing chart"


def test_without_meaning_words_are_corrected_all_the_same(corpus: Corpus) -> None:
    query = read_query(corpus, WordEmbedder(), "nubmering", "k", meaning=False)

    assert (query.words, query.has_meaning) == ("numbering", False)


def test_in_a_script_that_the_encoder_cannot_read_words_decide(corpus: Corpus) -> None:
    query = read_query(corpus, WordEmbedder(), "密码", "密码")

    assert (query.unread, query.has_meaning) == (True, False)
    assert not read_query(corpus, WordEmbedder(), "fonts", "fonts").unread
