"""A replica follows documents, evidence and versions without a request noticing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ab_testing.api import Assignments, ExperimentPlan
from clickloop.parts import Parts
from foundation.contracts import Document, Manifest
from foundation.errors import NotFound, NotReady
from foundation.registry import Version
from foundation.settings import Settings
from serving.engine.adaptation import Adapter
from serving.loader import Loader
from tests.tiny_encoder import DIMENSION, make_tiny_model

DOCUMENTS = [Document(word, word, f"all about the {word}") for word in ("kettle", "ladder", "marble")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def parts(model: Path, tmp_path: Path) -> Iterator[Parts]:
    (tmp_path / "onnx").symlink_to(model.parent / "onnx")
    parts = Parts(Settings(home=tmp_path, model=str(model), encoder_threads=1, log_level="error"))
    parts.catalog.upsert("default", DOCUMENTS)
    yield parts
    parts.engine.dispose()


@pytest.fixture
def loader(parts: Parts) -> Loader:
    """A loader that follows only when told to."""
    loader = parts.make_loader(Assignments(parts.engine))
    loader.follow_content()
    loader.follow_versions()
    return loader


def register(parts: Parts, manifest: Manifest) -> str:
    parts.hotswap.install("default", parts.baseline)
    now = parts.clock.now()
    parts.registry.register(Version("default", manifest.id, "", "approved", "", manifest, {}, {}, created_at=now))
    return manifest.id


def linear(parts: Parts, weight: float = 1.0) -> Manifest:
    return replace(parts.baseline, fusion="linear", weights={"bm25": weight, "dense": weight})


def served_ids(loader: Loader) -> set[str]:
    return set(loader.collection("default").corpus.ids())


def test_the_baseline_serves_before_any_promotion(parts: Parts, loader: Loader) -> None:
    assert loader.collection("default").champion == parts.baseline.id
    state = loader.state()["default"]
    assert (state["version"], state["problem"]) == (parts.baseline.id, "")
    assert (state["documents"], state["behind"], state["waiting"]) == (3, 0, 0)


def test_documents_are_followed_in_the_order_of_their_changes(parts: Parts, loader: Loader) -> None:
    parts.catalog.upsert("default", [Document("needle", "needle", "")])
    parts.catalog.delete("default", ["kettle"])
    assert loader.state()["default"]["behind"] == 2
    loader.follow_content()
    assert served_ids(loader) == {"ladder", "marble", "needle"}
    assert loader.state()["default"]["behind"] == 0


def test_a_new_collection_is_unknown_then_loading_then_served(parts: Parts, loader: Loader) -> None:
    with pytest.raises(NotFound):
        loader.collection("shop")
    parts.catalog.upsert("shop", DOCUMENTS[:1])
    with pytest.raises(NotReady):
        loader.collection("shop")
    loader.follow_content()
    loader.follow_versions()
    assert loader.collection("shop").corpus.ids() == ["kettle"]


def test_a_promotion_is_followed_and_reported(parts: Parts, loader: Loader) -> None:
    fresh = register(parts, linear(parts))
    parts.hotswap.promote("default", fresh, "better")
    loader.follow_versions()
    assert loader.collection("default").champion == fresh
    assert [(replica.version, replica.problem) for replica in parts.hotswap.replicas("default")] == [(fresh, "")]


def test_a_rollback_needs_no_load(parts: Parts, loader: Loader) -> None:
    before = loader.collection("default").rankers[parts.baseline.id]
    parts.hotswap.promote("default", register(parts, linear(parts)), "better")
    loader.follow_versions()
    parts.hotswap.rollback("default", "regret")
    loader.follow_versions()
    assert loader.collection("default").champion == parts.baseline.id
    assert loader.collection("default").rankers[parts.baseline.id] is before


def test_a_move_in_this_process_takes_effect_before_it_returns(parts: Parts, loader: Loader) -> None:
    parts.hotswap.moved = loader.move
    version = register(parts, linear(parts))
    parts.hotswap.promote("default", version, "won")
    loader.follow_versions()
    assert loader.collection("default").champion == version
    parts.hotswap.rollback("default", "second thoughts")
    assert loader.collection("default").champion == parts.baseline.id


def test_a_version_that_is_not_loaded_is_left_to_the_follower(parts: Parts, loader: Loader) -> None:
    parts.hotswap.moved = loader.move
    version = register(parts, linear(parts))
    parts.hotswap.promote("default", version, "won")
    assert loader.collection("default").champion == parts.baseline.id
    loader.follow_versions()
    assert loader.collection("default").champion == version


def test_a_pointer_that_was_read_before_a_move_does_not_take_it_back(
    parts: Parts, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.hotswap.moved = loader.move
    version = register(parts, linear(parts))
    parts.hotswap.promote("default", version, "won")
    loader.follow_versions()
    read = parts.registry.champions

    def read_slowly() -> dict[str, str]:
        champions = read()
        parts.hotswap.rollback("default", "while the follower reads")
        return champions

    monkeypatch.setattr(parts.registry, "champions", read_slowly)
    loader.follow_versions()
    assert loader.collection("default").champion == parts.baseline.id


@pytest.mark.parametrize(
    "fault", ["missing artifact", "damaged artifact", "other encoder", "scores that are no numbers"]
)
def test_a_version_that_breaks_never_serves(parts: Parts, loader: Loader, fault: str) -> None:
    broken = register(parts, break_manifest(parts, fault))
    parts.hotswap.promote("default", broken, "unwisely")
    loader.follow_versions()
    served = loader.collection("default")
    assert served.champion == parts.baseline.id
    assert broken in served.problem
    assert parts.hotswap.replicas("default")[0].problem == served.problem
    parts.hotswap.rollback("default", "regret")
    loader.follow_versions()
    assert (served.champion, served.problem) == (parts.baseline.id, "")
    assert parts.hotswap.replicas("default")[0].problem == ""


def break_manifest(parts: Parts, fault: str) -> Manifest:
    if fault == "missing artifact":
        return replace(parts.baseline, adapter="0" * 64)
    if fault == "damaged artifact":
        return replace(parts.baseline, residuals=parts.registry.artifacts.put(b"no arrays"))
    if fault == "other encoder":
        return replace(parts.baseline, encoder="another-int8")
    nan = Adapter(np.full((DIMENSION, DIMENSION), np.nan, np.float32), np.zeros(DIMENSION, np.float32))
    return replace(linear(parts), adapter=parts.registry.artifacts.put(nan.to_bytes()), weights={"adapted": 1.0})


def test_both_versions_of_a_running_experiment_are_held(parts: Parts, loader: Loader) -> None:
    fresh = register(parts, linear(parts))
    plan = ExperimentPlan("n", "ab", parts.baseline.id, fresh, planned_searches=10, min_days=0, max_days=1)
    parts.experiments.start("default", parts.experiments.create("default", plan).id)
    loader.follow_versions()
    assert {parts.baseline.id, fresh} <= loader.collection("default").rankers.keys()


def test_versions_of_the_past_are_forgotten_but_a_few(parts: Parts, loader: Loader) -> None:
    for number in range(8):
        parts.hotswap.promote("default", register(parts, linear(parts, 1.0 + number)), "next")
        loader.follow_versions()
    served = loader.collection("default")
    assert len(served.rankers) <= 4
    assert served.champion in served.rankers


def test_a_loader_that_stops_leaves_the_table_of_replicas(parts: Parts) -> None:
    loader = parts.make_loader(Assignments(parts.engine))
    loader.start()
    assert loader.ready
    assert len(parts.hotswap.replicas("default")) == 1
    loader.stop()
    assert not loader.ready
    assert parts.hotswap.replicas("default") == []
