from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.errors import ArtifactDamaged
from serving.encode.bridge import Bridge, BridgedEmbedder, learn_bridge
from serving.encode.rows import VectorStore


def draw(count: int, dimension: int, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def rotation(dimension: int) -> Floats:
    turned, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(dimension, dimension)))
    return turned.astype(np.float32)


def test_a_rotation_is_found_from_few_pairs() -> None:
    old, turned = draw(40, 16), rotation(16)
    unseen = draw(10, 16, seed=1)
    crossed = learn_bridge("old", old, old @ turned).cross(unseen)
    assert np.einsum("ij,ij->i", crossed, unseen @ turned).min() > 0.999


def test_what_is_no_rotation_is_found_from_many() -> None:
    old, bent = draw(2000, 16), rotation(16) + 0.3 * np.random.default_rng(3).normal(size=(16, 16)).astype(np.float32)
    unseen = draw(10, 16, seed=1)
    crossed = learn_bridge("old", old, old @ bent).cross(unseen)
    wanted = unseen @ bent
    assert np.einsum("ij,ij->i", crossed, wanted / np.linalg.norm(wanted, axis=1, keepdims=True)).min() > 0.99


def test_the_spaces_may_have_other_dimensions() -> None:
    old = draw(200, 16)
    bridge = learn_bridge("old", old, draw(16, 24, seed=2)[np.arange(200) % 16])
    assert bridge.cross(old).shape == (200, 24)


def test_an_artifact_says_what_the_bridge_says() -> None:
    bridge = learn_bridge("old-int8", draw(40, 16), draw(40, 16, seed=4))
    again = Bridge.from_bytes(bridge.to_bytes())
    assert again.source == "old-int8"
    np.testing.assert_allclose(again.matrix, bridge.matrix, atol=2e-3)
    with pytest.raises(ArtifactDamaged, match="no bridge"):
        Bridge.from_bytes(b"none")


def test_only_what_the_new_encoder_has_not_read_is_carried_over(tmp_path: Path) -> None:
    new_store = VectorStore(tmp_path / "new", 16)
    new_store.keep(["read"], draw(1, 16, seed=5))
    asked: list[str] = []

    def old_embed(texts: list[str]) -> Floats:
        asked.extend(texts)
        return draw(len(texts), 16, seed=6)

    def new_embed(texts: list[str]) -> Floats:
        return new_store.embed(texts, lambda _: pytest.fail("nothing is embedded again"))

    old: Any = SimpleNamespace(embed=old_embed)
    new: Any = SimpleNamespace(embed=new_embed, vectors=new_store, encoder=SimpleNamespace(dimension=16))
    bridge = Bridge("old", rotation(16))
    vectors = BridgedEmbedder(bridge, old, new).embed(["read", "unread", "unread"])
    np.testing.assert_allclose(vectors[0], draw(1, 16, seed=5)[0])
    np.testing.assert_allclose(vectors[1:], bridge.cross(draw(2, 16, seed=6)), atol=1e-6)
    assert asked == ["unread", "unread"]
    assert BridgedEmbedder(bridge, old, new).embed_tokens(["read"]) is None
