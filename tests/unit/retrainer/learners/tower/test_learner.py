"""A tower is learned from clicks, judged on queries that it has not learned from, and kept only where it pays."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Document, Evidence, Label
from retrainer.learners.adapter import Judgments
from retrainer.learners.alternation import learn
from retrainer.learners.tower.learner import TowerLearner
from retrainer.learners.training_set import prepare_training_set
from serving.index.corpus import Corpus
from tests.plain_embedder import PlainEmbedder
from tests.small_transformer import make_small_transformer

pytestmark = pytest.mark.usefixtures("one_thread")

WORDS = ("red", "blue", "green", "round", "flat", "tall", "old", "new")
ASKED = ("crimson", "azure", "emerald", "circular", "level", "high", "ancient", "fresh")
SEEN = (1.0, *(0.0,) * (CURVE_RANKS - 1))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_transformer(tmp_path_factory.mktemp("model") / "base")


def blind(texts: list[str]) -> Floats:
    """Return a vector of every text that says nothing of it."""
    vectors = np.random.default_rng(0).normal(size=(len(texts), 16)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    corpus = Corpus(16)
    documents = [
        Document(f"{one}-{other}", f"{one} {other}", f"It is {one} and {other}.", change=number)
        for number, (one, other) in enumerate(combinations(WORDS, 2), 1)
    ]
    corpus.apply(documents, PlainEmbedder(blind))
    return corpus


def clicks(corpus: Corpus, asked: tuple[str, ...]) -> list[Evidence]:
    rows = []
    for document, (one, other) in zip(corpus.ids(), combinations(asked, 2), strict=True):
        rows += [Evidence(key, document, SEEN, SEEN, users=1) for key in (f"{one} {other}", f"{other} is {one}")]
    return rows


def oracle(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    return [Label(row.query_key, row.document_id, 1.0, 1.0) for row in evidence], curve or PRIOR_CURVE


def test_it_is_kept_where_users_say_what_neither_words_nor_vectors_know(base: Path, corpus: Corpus) -> None:
    training_set = prepare_training_set(clicks(corpus, ASKED), blind)
    learned = learn(training_set, corpus, oracle, seed=0, passes=1, tower=TowerLearner(base, corpus))
    assert learned.tower is not None
    assert learned.weights["tower"] > 0
    assert learned.tower.documents is not None
    assert set(learned.tower.documents.ids) == set(corpus.ids())


def test_it_is_dropped_where_words_say_all(base: Path, corpus: Corpus) -> None:
    training_set = prepare_training_set(clicks(corpus, WORDS), blind)
    learned = learn(training_set, corpus, oracle, seed=0, passes=1, tower=TowerLearner(base, corpus))
    assert learned.tower is None


def test_without_labels_it_is_the_encoders_word_vectors(base: Path, corpus: Corpus) -> None:
    nothing = np.zeros(0, np.float32)
    empty = Judgments(np.zeros((0, 16), np.float32), nothing, nothing.astype(int), nothing.astype(int), nothing)
    tower = TowerLearner(base, corpus).learn(empty, 0)
    one, same, other = tower.encode(["red", "red red", "blue"])
    assert one @ same == pytest.approx(1.0, abs=1e-4)
    assert one @ other < 0.9
