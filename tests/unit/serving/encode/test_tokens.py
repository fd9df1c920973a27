"""Late interaction: tokens are kept small, and the best tokens of a document answer the query's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.encode.projection import CODE_BYTES, MIN_PASSAGES, WIDTH, Projection, arrange, decode, encode, pool
from serving.encode.rows import VectorStore
from serving.encode.tokens import TokenStore, TokenTable

Floats = npt.NDArray[np.float32]
DIMENSION = 96


def draw(count: int, width: int = WIDTH, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def unpack(codes: npt.NDArray[np.uint8]) -> Floats:
    vectors, lengths = decode(codes)
    unit: Floats = vectors / lengths[:, None]
    return unit


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 50))
def test_four_bits_keep_the_direction_of_a_vector(seed: int, count: int) -> None:
    vectors = draw(count, seed=seed)
    codes = encode(vectors)

    assert codes.shape == (count, CODE_BYTES)
    assert np.all((unpack(codes) * arrange(vectors)).sum(axis=1) > 0.97)


def test_a_passage_keeps_at_most_so_many_vectors_and_repeats_fall_together() -> None:
    repeated = np.repeat(draw(20), 5, axis=0)
    pooled = pool(repeated)

    assert len(pool(draw(10))) == 10
    assert len(pooled) <= 32
    assert np.all((pooled @ repeated.T).max(axis=0) > 0.99)


def test_a_projection_keeps_the_directions_in_which_tokens_differ(tmp_path: Path) -> None:
    plane = draw(WIDTH, DIMENSION)
    tokens = [draw(40, WIDTH, seed) @ plane for seed in range(20)]
    projection = Projection.learn(tokens)
    projection.save(tmp_path / "projection.npz")
    loaded = Projection.load(tmp_path / "projection.npz")

    one, other = tokens[0][:5], tokens[1][:5]
    centred = [part - projection.mean for part in (one, other)]
    wanted = centred[0] @ centred[1].T / np.outer(*(np.linalg.norm(part, axis=1) for part in centred))
    assert np.allclose(loaded.project(one) @ loaded.project(other).T, wanted, atol=1e-3)


def test_scores_are_the_mean_of_the_best_similarities_sealed_or_not(tmp_path: Path) -> None:
    documents = {row: draw(5 + row, seed=row) for row in range(6)}
    table = TokenTable()
    for row in range(4):
        table.add(row, encode(documents[row]))
    table.save(tmp_path, 4)
    reopened = TokenTable(tmp_path)
    for row in (4, 5):
        reopened.add(row, encode(documents[row]))
    query = draw(3, seed=99)

    wanted = [float((unpack(encode(documents[row])) @ arrange(query).T).max(axis=0).mean()) for row in (5, 0, 3)]
    assert np.allclose(reopened.scores(query, np.array([5, 0, 3])), wanted, atol=1e-5)


def test_a_document_without_tokens_is_neither_raised_nor_sunk() -> None:
    table = TokenTable()
    table.add(0, encode(draw(4, seed=1)))
    table.add(1, encode(draw(4, seed=2)))
    scores = table.scores(draw(2, seed=3), np.array([0, 7, 1]))

    assert scores[1] == pytest.approx((scores[0] + scores[2]) / 2)


class Network:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: list[str]) -> tuple[Floats, list[Floats]]:
        self.texts += texts
        return draw(len(texts), 8, len(self.texts)), [draw(3, DIMENSION, len(text)) for text in texts]


def test_tokens_and_vectors_come_from_one_pass_and_each_text_once(tmp_path: Path) -> None:
    network = Network()
    vectors = VectorStore(tmp_path / "vectors", 8)
    store = TokenStore(tmp_path / "tokens", vectors, network.encode)
    texts = [f"text {number}" for number in range(MIN_PASSAGES)]

    codes = store.embed(texts)
    again = TokenStore(tmp_path / "tokens", vectors, network.encode).embed(texts[:10])
    vectors.embed(texts, lambda missing: pytest.fail(f"{len(missing)} texts were embedded twice"))

    assert codes is not None
    assert again is not None
    assert all(np.array_equal(one, other) for one, other in zip(codes[:10], again, strict=True))
    assert network.texts == texts


def test_too_few_texts_have_no_tokens_yet(tmp_path: Path) -> None:
    network = Network()
    store = TokenStore(tmp_path / "tokens", VectorStore(tmp_path / "vectors", 8), network.encode)

    assert store.embed(["one", "two"]) is None
    assert network.texts == []
