"""What of a corpus may be listed."""

from __future__ import annotations

from typing import Any

from serving.index.columns import key_of
from serving.index.corpus import Corpus
from serving.index.fields.filters import parse_filter
from tests.catalogs import make_corpus

PLACES: list[dict[str, Any]] = [
    {"id": "vienna", "title": "Vienna", "place": {"lat": 48.2082, "lon": 16.3738}},
    {"id": "graz", "title": "Graz", "place": {"lat": 47.0707, "lon": 15.4395}},
    {"id": "sydney", "title": "Sydney", "place": {"lat": -33.8688, "lon": 151.2093}},
    {"id": "both", "title": "Both", "place": [{"lat": 48.2, "lon": 16.3}, {"lat": 1.0, "lon": 2.0}]},
    {"id": "nowhere", "title": "Nowhere", "sizes": [{"cm": 3}, {"cm": 5}]},
]


def found(corpus: Corpus, filters: object) -> set[str]:
    flags = corpus.matching(parse_filter(filters, corpus.fields.types))
    return {corpus.name(row) for row in flags.nonzero()[0].tolist()}


def test_documents_are_filtered_by_their_ids() -> None:
    corpus = make_corpus(PLACES)
    assert found(corpus, {"id": ["vienna", "graz", "no such"]}) == {"vienna", "graz"}
    assert found(corpus, {"not": {"id": "vienna"}}) == {"graz", "sydney", "both", "nowhere"}
    assert found(corpus, {"id": 7}) == set()


def test_documents_are_filtered_by_their_distance() -> None:
    corpus = make_corpus(PLACES)
    near = {"place": {"near": {"lat": 48.2, "lon": 16.37, "km": 10}}}
    assert found(corpus, near) == {"vienna"}
    assert found(corpus, {"place": {"near": {"lat": 48.2, "lon": 16.37, "km": 200}}}) == {"vienna", "graz"}
    assert found(corpus, {"not": near}) == {"graz", "sydney", "both", "nowhere"}


def test_objects_in_lists_are_read() -> None:
    corpus = make_corpus(PLACES)
    assert found(corpus, {"sizes.cm": 5}) == {"nowhere"}


def test_a_declared_field_that_no_document_has_is_empty() -> None:
    corpus = make_corpus(PLACES)
    corpus.declare({"brand": "keyword"})
    assert found(corpus, {"brand": "acme"}) == set()
    assert len(found(corpus, {"brand": None})) == 5


def test_a_document_has_the_same_key_everywhere() -> None:
    corpus = make_corpus(PLACES)
    assert corpus.columns.keys[: corpus.size].tolist() == [key_of(str(one["id"])) for one in PLACES]
    assert 0 <= key_of("x") < 2**48
