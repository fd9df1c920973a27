"""Versions are compared on the same queries, against labels that favour neither."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.click_models.labels import label
from foundation.contracts import PRIOR_CURVE, ClickCurve, Document, Evidence, Label, Labeller
from retrainer.gate.comparison import Comparison, compare, ndcg, weigh_beliefs
from retrainer.gate.views import look
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from tests.plain_embedder import PlainEmbedder

SIZE = 16
WORDS = ["kettle", "ladder", "marble", "needle", "orchid", "pepper", "quartz", "ribbon"]


def embed(texts: list[str]) -> npt.NDArray[np.float32]:
    """Return a unit vector per text, one direction per known word."""
    counts = np.array([[float(word in text) for word in WORDS] + [0.1] * (SIZE - len(WORDS)) for text in texts])
    unit: npt.NDArray[np.float32] = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture
def corpus() -> Corpus:
    corpus = Corpus(SIZE)
    documents = [Document(word, word, f"all about {word}", change=place) for place, word in enumerate(WORDS, 1)]
    corpus.apply(documents, PlainEmbedder(embed))
    return corpus


MODEL = RankingModel(QueryMemory([], SIZE))


def queries() -> list[Query]:
    return [Query(word, word, vector) for word, vector in zip(WORDS, embed(WORDS), strict=True)]


def clicked(key: str, document: str) -> Evidence:
    shown = (5.0, *[0.0] * 19)
    return Evidence(key, document, shown, shown, users=5)


def against(
    champion: Ranker, candidate: Ranker, evidence: list[Evidence], labeller: Labeller, theirs: list[Query] | None = None
) -> Comparison:
    return compare(look(champion, queries()), look(candidate, theirs or queries()), evidence, labeller)


class Judge:
    """Says that every clicked document is relevant, and remembers the prior it was given."""

    def __init__(self) -> None:
        self.prior: dict[str, dict[str, float]] = {}

    def __call__(
        self, evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        assert curve is None, "the curve is to be fitted to this evidence"
        self.prior = prior
        return [Label(row.query_key, row.document_id, 1.0, 1.0) for row in evidence], PRIOR_CURVE


def test_each_version_is_asked_by_its_own_encoder(corpus: Corpus) -> None:
    turned = Corpus(SIZE)
    documents = [corpus.document(row) for row in range(corpus.size)]
    turned.apply(documents, PlainEmbedder(lambda texts: embed(texts)[:, ::-1].copy()))
    theirs = [replace(query, vector=query.vector[::-1].copy()) for query in queries()]
    evidence = [clicked(word, word) for word in WORDS]
    found = against(Ranker(corpus, MODEL), Ranker(turned, MODEL), evidence, Judge(), theirs)
    assert found.candidate.tolist() == found.champion.tolist() == [1.0] * len(WORDS)


def test_a_version_equals_itself(corpus: Corpus) -> None:
    ranker = Ranker(corpus, MODEL)
    found = against(ranker, ranker, [clicked(word, word) for word in WORDS], Judge())
    assert found.keys == WORDS
    assert found.champion.tolist() == found.candidate.tolist() == pytest.approx([1.0] * len(WORDS))
    assert found.overlap.tolist() == [1.0] * len(WORDS)


def test_a_version_turned_upside_down_is_seen_to_be_worse(corpus: Corpus) -> None:
    upside_down = replace(MODEL, fusion="linear", weights={"bm25": -1.0, "dense": -1.0})
    evidence = [clicked(word, word) for word in WORDS]
    found = against(Ranker(corpus, MODEL), Ranker(corpus, upside_down), evidence, Judge())
    assert (found.candidate < found.champion).all()


def test_queries_without_a_relevant_document_are_not_judged(corpus: Corpus) -> None:
    ranker = Ranker(corpus, MODEL)
    assert against(ranker, ranker, [clicked("kettle", "kettle")], Judge()).keys == ["kettle"]


def label_noisily(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    return label(evidence, prior, PRIOR_CURVE)


def once(key: str, document: str) -> Evidence:
    return Evidence(key, document, (1.0, *[0.0] * 19), (1.0, *[0.0] * 19), users=1)


@given(factor=st.floats(0.05, 50))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_multiplying_all_scores_changes_nothing(corpus: Corpus, factor: float) -> None:
    weights = {"bm25": 1.0, "dense": 2.0}
    evidence = [once(word, other) for word, other in zip(WORDS, [*WORDS[1:], WORDS[0]], strict=True)]
    champion = Ranker(corpus, MODEL)
    one, other = (
        against(champion, Ranker(corpus, replace(MODEL, fusion="linear", weights=scaled)), evidence, judge)
        for judge in [label_noisily]
        for scaled in (weights, {name: factor * weight for name, weight in weights.items()})
    )
    assert other.share == pytest.approx(one.share, abs=1e-6)
    assert other.change == pytest.approx(one.change, abs=1e-6)
    assert other.under_champion == pytest.approx(one.under_champion, abs=1e-6)
    assert other.under_candidate == pytest.approx(one.under_candidate, abs=1e-6)


def test_each_version_is_better_by_its_own_reading_and_the_judgment_lies_between(corpus: Corpus) -> None:
    away = replace(MODEL, fusion="linear", weights={"dense": -1.0})
    evidence = [once(word, other) for word, other in zip(WORDS, [*WORDS[1:], WORDS[0]], strict=True)]
    found = against(Ranker(corpus, MODEL), Ranker(corpus, away), evidence, label_noisily)
    assert found.under_champion.mean() < found.change.mean() < found.under_candidate.mean()
    assert found.even_change == pytest.approx((found.under_champion + found.under_candidate) / 2)
    weighed = (1 - found.share) * found.under_champion + found.share * found.under_candidate
    assert found.change == pytest.approx(weighed)
    assert 0 < found.data < 1


def test_more_lists_make_a_query_weigh_more_and_the_judgment_more_of_data(corpus: Corpus) -> None:
    away = replace(MODEL, fusion="linear", weights={"dense": -1.0})
    few, many = (
        against(Ranker(corpus, MODEL), Ranker(corpus, away), [read(word, word) for word in WORDS], judge)
        for judge in [label_noisily]
        for read in (once, clicked)
    )
    assert (many.weights > few.weights).all()
    assert many.data > few.data


SURE = {word: {word: 0.9} for word in WORDS}
WRONG = {word: {other: 0.9} for word, other in zip(WORDS, [*WORDS[1:], WORDS[0]], strict=True)}


def test_without_clicks_both_beliefs_weigh_alike() -> None:
    assert weigh_beliefs(SURE, WRONG, {}, WORDS) == pytest.approx(0.5)
    assert weigh_beliefs(SURE, WRONG, {"kettle": {"kettle": 3.0}}, []) == pytest.approx(0.5)


@given(st.floats(0.1, 20), st.integers(1, len(WORDS)))
def test_the_belief_that_makes_clicks_likelier_weighs_more_with_every_query(odds: float, told: int) -> None:
    clicks = {word: {word: odds} for word in WORDS}
    right, wrong = (weigh_beliefs(*pair, clicks, WORDS[:told]) for pair in ((WRONG, SURE), (SURE, WRONG)))
    assert 0.5 < right < 1
    assert right + wrong == pytest.approx(1)
    assert told == 1 or right > weigh_beliefs(WRONG, SURE, clicks, WORDS[: told - 1])


def test_ndcg_of_a_known_list() -> None:
    gains = {"a": 1.0, "b": 0.5}
    ideal = 1.0 + 0.5 / math.log2(3)
    assert ndcg(["a", "b"], gains) == pytest.approx(1.0)
    assert ndcg(["x", "a"], gains) == pytest.approx((1 / math.log2(3)) / ideal)
    assert ndcg([], gains) == ndcg(["a"], {}) == 0.0
    assert ndcg(["x"] * 10 + ["a"], gains) == 0.0


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1)))
def test_ndcg_stays_within_bounds(ranking: list[str], gains: dict[str, Any]) -> None:
    assert 0 <= ndcg(ranking, gains) <= 1 + 1e-9
