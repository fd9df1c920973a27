"""Rules and terms act on the candidates that an engine sends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serving.index.corpus import Corpus
from serving.order.candidates import Candidate
from serving.order.ordering import keep_order
from serving.order.shaped import UNSHAPED, ShapedCandidates, shape_candidates
from serving.rules.rule_book import Situation
from serving.rules.settings import NO_RELEVANCE, Items, read_relevance
from tests.catalogs import make_corpus

SITUATION = Situation("toner", {}, "page", datetime(2026, 11, 30, tzinfo=UTC))
CANDIDATES = [Candidate("a"), Candidate("b", fields={"brand": "lux"}), Candidate("c"), Candidate("d")]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus([{"id": "a", "title": "toner", "brand": "acme"}, {"id": "b", "title": "ink", "brand": "acme"}])


def shaped(corpus: Corpus, items: Items) -> ShapedCandidates:
    return shape_candidates(CANDIDATES, read_relevance(1, items), SITUATION, corpus)


def test_settings_that_order_nothing_cost_nothing(corpus: Corpus) -> None:
    synonyms: Items = {("synonyms", "s"): {"words": ["a", "b"]}}
    assert shape_candidates(CANDIDATES, NO_RELEVANCE, SITUATION, corpus) is UNSHAPED
    assert shaped(corpus, synonyms) is UNSHAPED


def test_fields_count_as_they_were_sent_else_as_the_catalog_has_them(corpus: Corpus) -> None:
    items: Items = {
        ("rule", "r"): {"boost": [{"filter": {"brand": "lux"}, "by": 3}]},
        ("term", "t"): {"kind": "boost", "filter": {"brand": "acme"}, "by": 1},
    }
    owner = shaped(corpus, items).owner
    assert owner is not None
    assert owner.tolist() == [1, 3, 0, 0]


def test_what_is_hidden_goes_and_what_is_pinned_stands_where_it_is_sent_at_all(corpus: Corpus) -> None:
    pins = [{"id": "d", "rank": 1}, {"id": "elsewhere", "rank": 2}, {"id": "b", "rank": 3}]
    found = shaped(corpus, {("rule", "r"): {"hide": ["b"], "pin": pins}})
    ranking = found.pinned(found.without_hidden(keep_order(CANDIDATES, 4)), 2)
    assert [(hit.document_id, hit.row, hit.rule) for hit in ranking.hits] == [("d", 3, "r"), ("a", 0, "")]
