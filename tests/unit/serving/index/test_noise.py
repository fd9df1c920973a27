from __future__ import annotations

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import Document
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.dense.index import DenseIndex
from serving.index.noise import SILENCE, Probes, measure_noise, probes
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from tests.plain_embedder import PlainEmbedder
from tests.unit.serving.conftest import DIMENSION, embed_words


def test_certainty_grows_from_the_usual_to_the_most() -> None:
    noise = measure_noise(np.array([0.2, 0.3, 0.4], np.float32))

    assert noise.certainty(0.1) == noise.certainty(noise.usual) == 0.0
    assert 0 < noise.certainty(0.4) < noise.certainty(0.5) <= 1.0
    assert noise.certainty(noise.most) == 1.0
    assert noise.floor(common=True) < noise.floor(common=False)


def test_before_it_is_measured_every_nearness_says_something() -> None:
    assert SILENCE.certainty(-0.9) == 1.0
    assert SILENCE.floor(common=False) == -1.0


def test_probes_are_always_the_same_and_no_two_alike() -> None:
    assert probes() == probes()
    assert len(set(probes())) == len(probes())


@pytest.fixture
def ranker() -> Ranker:
    corpus = Corpus(DIMENSION)
    pages = [
        Document(f"d{number}", f"Page w{number}x", f"text of w{number}x", change=number + 1) for number in range(30)
    ]
    corpus.apply([*pages, Document("sku", "Bracket", "order code ZX9931", change=99)], PlainEmbedder(embed_words))
    return Ranker(corpus, RankingModel(QueryMemory([], DIMENSION)))


def names(ranker: Ranker, query: str, near: str, *, common: bool = False) -> list[str]:
    vector = embed_words([near])[0]
    return [hit.document_id for hit in ranker.search(Query(query, query, vector, common=common), 5).hits]


def test_a_query_without_a_known_word_and_without_sense_finds_nothing(ranker: Ranker) -> None:
    assert names(ranker, "zzzqqq", "zzzqqq") == []


def test_a_query_that_means_something_is_found_without_any_of_its_words(ranker: Ranker) -> None:
    assert names(ranker, "zzzqqq", "text of w3x")[0] == "d3"


def test_noise_never_outranks_the_one_document_with_the_word(ranker: Ranker) -> None:
    for nothing in ("qqzz", "jjxx", "vvkk", "wwpp"):
        assert names(ranker, "ZX9931", nothing)[0] == "sku"


def test_probes_know_the_nearest_passage_whatever_came_and_went() -> None:
    dense = DenseIndex(DIMENSION)
    vectors = embed_words([f"word{number}" for number in range(30)])
    dense.add(list(range(10)), vectors[:10])
    asked = embed_words([f"probe{number}" for number in range(5)])

    def nearest(vector: Floats) -> float:
        rows = np.array(dense.search(vector, 1), np.int64)
        return float(dense.similarities(rows, vector[:, None]).max())

    known = Probes(dense, asked, nearest)
    known.add(np.array(dense.add(list(range(10, 30)), vectors[10:])))
    assert known.noise == Probes(dense, asked, nearest).noise

    for number in range(0, 30, 2):
        dense.remove(range(number, number + 1))
        known.remove(np.array([number]))
    assert known.noise == Probes(dense, asked, nearest).noise
