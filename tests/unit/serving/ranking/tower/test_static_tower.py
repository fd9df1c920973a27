from __future__ import annotations

import numpy as np
import pytest

from foundation.errors import ArtifactDamaged
from serving.encode.form import packaged_model
from serving.ranking.tower.pieces import WordPieces
from serving.ranking.tower.static_tower import StaticTower

DIMENSION = 64


@pytest.fixture(scope="module")
def tower() -> StaticTower:
    pieces = WordPieces((packaged_model() / "tokenizer.json").read_text())
    table = np.random.default_rng(0).normal(size=(pieces.size, DIMENSION)).astype(np.float32)
    return StaticTower(table, pieces)


def test_a_text_is_the_mean_of_its_pieces(tower: StaticTower) -> None:
    card, loan, both, nothing = tower.encode(["card", "loan", "loan card", ""])
    np.testing.assert_allclose(np.linalg.norm(both), 1.0, atol=1e-5)
    assert both @ card > 0.5
    assert both @ loan > 0.5
    assert abs(card @ loan) < 0.5
    assert not nothing.any()


def test_an_artifact_says_what_the_tower_says(tower: StaticTower) -> None:
    texts = ["my card", "a loan for the house"]
    kept = tower.with_documents(["one", "two"], np.array([3, 7]), tower.encode(texts))

    again = StaticTower.from_bytes(kept.to_bytes())

    np.testing.assert_allclose(again.encode(texts), tower.encode(texts), atol=2e-3)
    assert again.documents is not None
    assert again.documents.ids == ("one", "two")
    assert again.documents.changes.tolist() == [3, 7]
    known = again.documents.vectors(np.array([0, 1]))
    assert np.einsum("ij,ij->i", known, tower.encode(texts)).min() > 0.99


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ArtifactDamaged, match="no static tower"):
        StaticTower.from_bytes(b"none")
