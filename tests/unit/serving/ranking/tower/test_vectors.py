"""A version with a tower finds by it, keeps up with changes, and embeds nothing that it brought along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import Document
from serving.encode.form import packaged_model
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.features import COLUMN
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import retrieve
from serving.ranking.tower import vectors as room
from serving.ranking.tower.pieces import WordPieces, text_of
from serving.ranking.tower.static_tower import StaticTower
from tests.plain_embedder import PlainEmbedder

WORDS = ("card", "loan", "visa", "cash", "rate", "bank", "house", "train")
NOWHERE = np.ones((1, 8), np.float32) / np.sqrt(8)


def nowhere(texts: list[str]) -> Floats:
    """Return the same vector for every text: only the tower tells documents apart."""
    return np.repeat(NOWHERE, len(texts), axis=0)


@pytest.fixture
def corpus() -> Corpus:
    corpus = Corpus(8)
    documents = [Document(word, word, f"All about the {word}.", change=n) for n, word in enumerate(WORDS, 1)]
    corpus.apply(documents, PlainEmbedder(nowhere))
    return corpus


@pytest.fixture
def tower() -> StaticTower:
    pieces = WordPieces((packaged_model() / "tokenizer.json").read_text())
    table = np.random.default_rng(0).normal(size=(pieces.size, 64)).astype(np.float32)
    plastic, card = (pieces.share([word]).indices[0] for word in ("plastic", "card"))
    table[plastic] = table[card]  # what somebody learned from clicks
    return StaticTower(table, pieces)


def ask(text: str) -> Query:
    return Query(text, text, NOWHERE[0])


def test_a_document_without_the_word_is_found_and_ranked_by_the_tower(corpus: Corpus, tower: StaticTower) -> None:
    model = RankingModel(QueryMemory([], 8), fusion="linear", weights={"tower": 5.0}, tower=tower)
    assert Ranker(corpus, model).search(ask("plastic"), 3).hits[0].document_id == "card"


def test_without_a_tower_the_feature_is_nothing(corpus: Corpus) -> None:
    found = Ranker(corpus, RankingModel(QueryMemory([], 8))).candidates(retrieve(corpus, ask("card")))
    assert not found.values[:, COLUMN["tower"]].any()


def test_what_the_tower_brought_along_is_not_embedded_again(
    corpus: Corpus, tower: StaticTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text_of(corpus.document(number)) for number in range(len(WORDS))]
    kept = tower.with_documents(list(WORDS), np.arange(1, len(WORDS) + 1), tower.encode(texts))
    corpus.apply([Document("card", "card", "Made of plastic.", change=99)], PlainEmbedder(nowhere))
    embedded: list[str] = []
    encode = StaticTower.encode

    def listen(self: StaticTower, some: list[str]) -> Any:
        embedded.extend(some)
        return encode(self, some)

    monkeypatch.setattr(StaticTower, "encode", listen)
    kept.over(corpus)
    assert embedded == ["card. Made of plastic."]


def test_new_documents_get_their_vectors_in_searches(
    corpus: Corpus, tower: StaticTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PER_SEARCH", 1)
    over = tower.over(corpus)
    corpus.apply(
        [Document(name, name, "Of plastic.", change=50) for name in ("first", "second")], PlainEmbedder(nowhere)
    )
    rows = np.array([corpus.row("first"), corpus.row("second")])
    vector = over.read(ask("plastic"))
    near, waiting = over.similarities(rows, vector).tolist()
    assert near > 0.3
    assert waiting < near
    assert over.similarities(rows, over.read(ask("plastic")))[1] > 0.3
    assert tower.over(corpus) is over
