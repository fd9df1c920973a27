"""A replica holds versions of two encoders: the new one serves once all is embedded, and the old one can again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickloop.container import Container
from foundation.contracts import Document, Manifest
from serving.encode.bridge import learn_bridge
from serving.encode.encoder import Encoder
from serving.encode.form import open_encoder, pack_form
from serving.index.snapshot_store import SnapshotStore
from serving.live import failures, spaces
from serving.live.loader import Loader
from tests.integration.loader.conftest import linear, register
from tests.tiny_encoder import make_tiny_model


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture
def tuned(container: Container, other_model: Path) -> Manifest:
    """A version that brings an encoder of its own."""
    cache = other_model.parent / "onnx"
    name = open_encoder(str(other_model), cache, "int8", 1).digest
    form = container.registry.artifacts.put(pack_form(str(other_model), cache, "int8"))
    return replace(linear(container), encoder=name, encoder_form=form)


@pytest.fixture
def asked(container: Container, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SnapshotStore]]:
    """The builds that were asked for, to be done by the test; versions are tried again at once."""
    asked: list[SnapshotStore] = []
    monkeypatch.setattr(container.builds, "start_for", lambda _, store: asked.append(store))
    monkeypatch.setattr(failures, "_LOOK_EVERY_S", 0.0)
    yield asked
    container.content.close()


def build(container: Container, tuned: Manifest) -> None:
    container.build("default", tuned.encoder, tuned.encoder_form)


def follow(loader: Loader) -> None:
    for _ in range(2):  # the space is prepared between two looks at the versions
        loader.follow()


def promote_tuned(container: Container, loader: Loader, tuned: Manifest) -> str:
    version = register(container, tuned)
    container.hotswap.promote("default", version, "won")
    follow(loader)
    build(container, tuned)
    follow(loader)
    return version


def found_by_meaning(loader: Loader, text: str) -> list[str]:
    served = loader.collection("default")
    ranker = served.rankers[served.champion]
    vector = served.snapshot.space_of(ranker.model).embedder.encoder.encode_query(text)
    return [ranker.corpus.name(row) for row in ranker.corpus.dense.search(vector, 3)]


def test_it_serves_once_its_index_is_built(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore]
) -> None:
    version = register(container, tuned)
    container.hotswap.promote("default", version, "won")
    follow(loader)
    served = loader.collection("default")
    assert served.champion == container.baseline.id
    assert [store.form for store in asked] == [tuned.encoder_form]
    (problem,) = loader.problems()
    assert "its encoder is new here: the index is none" in problem

    build(container, tuned)
    follow(loader)
    assert (served.champion, served.problem) == (version, "")
    assert loader.state()["default"]["encoder"] == tuned.encoder
    assert found_by_meaning(loader, "kettle")[0] == "kettle"
    assert loader.problems() == []


def test_with_a_bridge_it_serves_before_its_index_is_built(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore]
) -> None:
    words = [document.text for document in container.catalog.changes("default", 0, 100)]
    words += ["kettle", "ladder", "marble", "all about", "the"]
    encoder = container.encoders.open(
        tuned.encoder, lambda: container.registry.artifacts.get(tuned.encoder_form)
    ).encoder
    bridge = learn_bridge(container.encoder.digest, container.encoder.encode(words), encoder.encode(words))
    bridged = replace(tuned, encoder_bridge=container.registry.artifacts.put(bridge.to_bytes()))
    version = register(container, bridged)
    container.hotswap.promote("default", version, "won")
    follow(loader)
    served = loader.collection("default")
    assert (served.champion, served.problem) == (version, "")
    assert [store.form for store in asked] == [tuned.encoder_form]
    assert found_by_meaning(loader, "kettle")[0] == "kettle"
    assert served.corpus.snapshot is None

    container.catalog.upsert("default", [Document("needle", "needle", "all about the needle")])
    follow(loader)
    assert found_by_meaning(loader, "needle")[0] == "needle"  # embedded by the new encoder itself

    build(container, bridged)
    follow(loader)
    assert served.champion == version
    assert served.snapshot.spaces[tuned.encoder].corpus.snapshot is not None
    assert found_by_meaning(loader, "kettle")[0] == "kettle"


def test_changes_are_followed_under_both(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore]
) -> None:
    version = register(container, tuned)
    container.hotswap.promote("default", version, "won")
    follow(loader)
    build(container, tuned)
    container.catalog.upsert("default", [Document("needle", "needle", "all about the needle")])  # after it was sealed
    container.catalog.delete("default", ["marble"])
    follow(loader)
    served = loader.collection("default")
    assert served.champion == version
    assert found_by_meaning(loader, "needle")[0] == "needle"
    container.catalog.upsert("default", [Document("orange", "orange", "all about the orange")])
    follow(loader)
    for space in served.snapshot.spaces.values():
        assert sorted(space.corpus.ids()) == ["kettle", "ladder", "needle", "orange"]
        assert space.corpus.waiting == 0


def test_a_rollback_embeds_nothing(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = promote_tuned(container, loader, tuned)
    served = loader.collection("default")
    assert served.champion == version

    def refuse(_: Encoder, texts: list[str]) -> Any:
        raise AssertionError(f"{texts} are embedded again")

    monkeypatch.setattr(Encoder, "encode", refuse)
    container.hotswap.rollback("default", "by hand")
    follow(loader)
    assert (served.champion, served.problem) == (container.baseline.id, "")
    container.hotswap.promote("default", version, "again")
    follow(loader)
    assert (served.champion, served.problem) == (version, "")


def test_a_replica_that_starts_anew_opens_what_was_built(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore]
) -> None:
    version = promote_tuned(container, loader, tuned)
    asked.clear()
    container.content.close()
    again = Container(container.settings)
    fresh = again.make_loader(loader._assignments)
    follow(fresh)
    follow(fresh)
    assert fresh.collection("default").champion == version
    assert asked == []
    again.content.close()
    again.engine.dispose()


def test_what_no_version_needs_is_dropped(
    container: Container,
    loader: Loader,
    tuned: Manifest,
    asked: list[SnapshotStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = promote_tuned(container, loader, tuned)
    served = loader.collection("default")
    container.hotswap.rollback("default", "by hand")
    follow(loader)
    monkeypatch.setattr(spaces, "monotonic_s", lambda: float("inf"))
    follow(loader)
    assert tuned.encoder in served.snapshot.spaces  # its version is still held
    served.drop(version)
    follow(loader)
    assert list(served.snapshot.spaces) == [container.baseline.encoder]


def test_live_evidence_has_the_vectors_of_each_encoder(
    container: Container, loader: Loader, tuned: Manifest, asked: list[SnapshotStore]
) -> None:
    version = promote_tuned(container, loader, tuned)
    served = loader.collection("default")
    ranker = served.rankers[version]
    assert ranker.live is not None
    assert ranker.live is not served.live
    encoder = served.snapshot.space_of(ranker.model).embedder.encoder
    assert np.allclose(ranker.live.vectors(["kettle"])[0], encoder.encode_query("kettle"), atol=1e-5)
