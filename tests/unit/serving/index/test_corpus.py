"""What of a corpus may be listed."""

from __future__ import annotations

from typing import Any

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Document
from serving.index.columns import key_of
from serving.index.corpus import Corpus
from serving.index.fields.filters import parse_filter
from tests.catalogs import DIMENSION, add, make_corpus
from tests.plain_embedder import PlainEmbedder

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


def test_a_sample_is_spread_over_all_documents() -> None:
    corpus = make_corpus([{"id": str(number), "title": "t"} for number in range(25)])

    assert [document.id for document in corpus.sample(10)] == [str(number) for number in range(0, 25, 3)]
    assert len(corpus.sample(100)) == 25
    assert make_corpus([]).sample(10) == []


def test_the_noise_is_that_of_the_present_documents() -> None:
    documents = [{"id": str(number), "title": f"title {number}"} for number in range(40)]
    corpus = make_corpus(documents[:20])
    add(corpus, documents[20:])
    assert corpus.noise == make_corpus(documents).noise

    corpus.apply(
        [Document(str(number), "", "", change=100 + number, deleted=True) for number in range(0, 40, 2)],
        PlainEmbedder(_never),
    )

    assert corpus.noise == make_corpus(documents[1::2]).noise


def _never(texts: list[str]) -> Floats:
    assert not texts
    return np.zeros((0, DIMENSION), np.float32)
