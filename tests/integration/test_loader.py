"""A replica follows documents, evidence and versions without a request noticing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from ab_testing.api import Assignments, ExperimentPlan
from clickloop.container import Container
from collector.join.retention_watermark import lock_evidence
from foundation.contracts import Document, Manifest
from foundation.database.engine import transaction
from foundation.errors import NotFound, NotReady
from foundation.registry.registry import Version
from foundation.settings import Settings
from foundation.telemetry.metrics import METRICS
from serving.catalog.changes import read_changes
from serving.live import failures
from serving.live.loader import Loader
from serving.ranking.adaptation import Adapter
from tests.tiny_encoder import DIMENSION, make_tiny_model

DOCUMENTS = [Document(word, word, f"all about the {word}") for word in ("kettle", "ladder", "marble")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def container(model: Path, tmp_path: Path) -> Iterator[Container]:
    (tmp_path / "onnx").symlink_to(model.parent / "onnx")
    container = Container(Settings(home=tmp_path, model=str(model), encoder_threads=1, log_level="error"))
    container.catalog.upsert("default", DOCUMENTS)
    yield container
    container.engine.dispose()


@pytest.fixture
def loader(container: Container) -> Loader:
    """A loader that follows only when told to."""
    loader = container.make_loader(Assignments(container.engine))
    loader.follow_content()
    loader.follow_versions()
    return loader


def register(container: Container, manifest: Manifest) -> str:
    container.hotswap.install("default", container.baseline)
    now = container.clock.now()
    container.registry.register(Version("default", manifest.id, "", "approved", "", manifest, {}, {}, created_at=now))
    return manifest.id


def linear(container: Container, weight: float = 1.0) -> Manifest:
    return replace(container.baseline, fusion="linear", weights={"bm25": weight, "dense": weight})


def served_ids(loader: Loader) -> set[str]:
    return set(loader.collection("default").corpus.ids())


def test_the_baseline_serves_before_any_promotion(container: Container, loader: Loader) -> None:
    assert loader.collection("default").champion == container.baseline.id
    state = loader.state()["default"]
    assert (state["version"], state["problem"]) == (container.baseline.id, "")
    assert (state["documents"], state["behind"], state["waiting"]) == (3, 0, 0)


def test_documents_are_followed_in_the_order_of_their_changes(container: Container, loader: Loader) -> None:
    container.catalog.upsert("default", [Document("needle", "needle", "")])
    container.catalog.delete("default", ["kettle"])
    assert loader.state()["default"]["behind"] == 2
    loader.follow_content()
    assert served_ids(loader) == {"ladder", "marble", "needle"}
    assert loader.state()["default"]["behind"] == 0


def test_a_new_collection_is_unknown_then_loading_then_served(container: Container, loader: Loader) -> None:
    with pytest.raises(NotFound):
        loader.collection("shop")
    container.catalog.upsert("shop", DOCUMENTS[:1])
    with pytest.raises(NotReady):
        loader.collection("shop")
    loader.follow_content()
    loader.follow_versions()
    assert loader.collection("shop").corpus.ids() == ["kettle"]


def test_a_promotion_is_followed_and_reported(container: Container, loader: Loader) -> None:
    fresh = register(container, linear(container))
    container.hotswap.promote("default", fresh, "better")
    loader.follow_versions()
    assert loader.collection("default").champion == fresh
    assert [(replica.version, replica.problem) for replica in container.hotswap.replicas("default")] == [(fresh, "")]


def test_a_rollback_needs_no_load(container: Container, loader: Loader) -> None:
    before = loader.collection("default").rankers[container.baseline.id]
    container.hotswap.promote("default", register(container, linear(container)), "better")
    loader.follow_versions()
    container.hotswap.rollback("default", "regret")
    loader.follow_versions()
    assert loader.collection("default").champion == container.baseline.id
    assert loader.collection("default").rankers[container.baseline.id] is before


def test_a_move_in_this_process_takes_effect_before_it_returns(container: Container, loader: Loader) -> None:
    hotswap = container.make_hotswap(loader.move)
    version = register(container, linear(container))
    hotswap.promote("default", version, "won")
    loader.follow_versions()
    assert loader.collection("default").champion == version
    hotswap.rollback("default", "second thoughts")
    assert loader.collection("default").champion == container.baseline.id


def test_a_version_that_is_not_loaded_is_left_to_the_follower(container: Container, loader: Loader) -> None:
    hotswap = container.make_hotswap(loader.move)
    version = register(container, linear(container))
    hotswap.promote("default", version, "won")
    assert loader.collection("default").champion == container.baseline.id
    loader.follow_versions()
    assert loader.collection("default").champion == version


def test_a_pointer_that_was_read_before_a_move_does_not_take_it_back(
    container: Container, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotswap = container.make_hotswap(loader.move)
    version = register(container, linear(container))
    hotswap.promote("default", version, "won")
    read = container.registry.champions

    def read_slowly() -> dict[str, str]:
        champions = read()
        hotswap.rollback("default", "while the follower reads")
        return champions

    monkeypatch.setattr(container.registry, "champions", read_slowly)
    loader.follow_versions()
    assert loader.collection("default").champion == container.baseline.id


def test_a_look_from_before_a_move_does_not_take_it_back(container: Container, loader: Loader) -> None:
    hotswap = container.make_hotswap(loader.move)
    version = register(container, linear(container))
    hotswap.promote("default", version, "won")
    loader.follow_versions()
    hotswap.rollback("default", "second thoughts")
    loader._continue_versions()  # by what was seen before
    assert loader.collection("default").champion == container.baseline.id
    loader.follow_versions()
    assert loader.collection("default").champion == container.baseline.id


def test_an_idle_look_is_one_statement_however_many_collections(container: Container) -> None:
    for number in range(50):
        container.catalog.upsert(f"shop{number}", DOCUMENTS[:1])
    loader = container.make_loader(Assignments(container.engine))
    loader.follow()
    loader.follow()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(container.engine, "before_cursor_execute", note)
    loader.follow()
    sa.event.remove(container.engine, "before_cursor_execute", note)
    assert len(statements) == 1, statements
    assert loader.state()["shop49"]["behind"] == 0


def test_a_look_sees_whatever_changes_of_every_kind(container: Container, loader: Loader) -> None:
    seen = [read_changes(container.engine)]

    def changes() -> bool:
        seen.append(read_changes(container.engine))
        return seen[-1] != seen[-2]

    assert not changes()
    container.catalog.delete("default", ["kettle"])
    assert changes()
    container.declarations.change("default", {"size": "number"})
    assert changes()
    container.declarations.change("default", {"size": None})
    assert changes()
    version = register(container, linear(container))
    assert changes()
    container.hotswap.promote("default", version, "won")
    assert changes()
    plan = ExperimentPlan("n", "ab", container.baseline.id, version, planned_searches=10, min_days=0, max_days=1)
    experiment = container.experiments.create("default", plan).id
    assert not changes()
    container.experiments.start("default", experiment)
    assert changes()
    container.experiments.stop("default", experiment)
    assert changes()
    with transaction(container.engine) as connection:
        lock_evidence(connection, "default")
    assert changes()


def restore(container: Container, digest: str, content: bytes) -> None:
    (container.settings.home / "artifacts" / digest).write_bytes(content)


def adapted(container: Container) -> tuple[Manifest, str, bytes]:
    """Return a version that needs an artifact, the artifact's digest, and its bytes."""
    content = Adapter(np.zeros((DIMENSION, DIMENSION), np.float32), np.zeros(DIMENSION, np.float32)).to_bytes()
    digest = container.registry.artifacts.put(content)
    return replace(linear(container), adapter=digest), digest, content


def test_a_version_serves_once_its_artifact_is_back(
    container: Container, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, digest, content = adapted(container)
    restore(container, digest, b"damaged")
    version = register(container, manifest)
    container.hotswap.promote("default", version, "won")
    loader.follow_versions()
    served = loader.collection("default")
    assert served.champion == container.baseline.id
    assert any(version in problem for problem in loader.problems())
    assert METRICS.get_sample_value("clickloop_processes_off_champion", {"collection": "default"}) == 1

    monkeypatch.setattr(failures, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(failures, "_FIRST_PAUSE_S", 1000.0)
    served.failures.forget(version)
    loader.follow_versions()  # fails once more, and is not to be tried again for long
    restore(container, digest, content)
    loader.follow_versions()
    assert (served.champion, served.problem) == (version, "")
    assert loader.problems() == []
    assert METRICS.get_sample_value("clickloop_processes_off_champion", {"collection": "default"}) == 0


def test_a_store_of_artifacts_that_is_away_holds_up_no_other_collection(
    container: Container, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, _, _ = adapted(container)
    version = register(container, manifest)
    container.hotswap.promote("default", version, "won")
    container.catalog.upsert("shop", DOCUMENTS)

    def away(_digest: str) -> bytes:
        raise TimeoutError("the bucket does not answer")

    monkeypatch.setattr(failures, "_LOOK_EVERY_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(container.registry.artifacts, "get", away)
        patch.setattr(container.registry.artifacts, "stamp", away)
        for _ in range(2):
            loader.follow()
        assert "does not answer" in str(loader.state()["default"]["problem"])
        assert loader.collection("shop").champion == container.baseline.id
    loader.follow()
    assert loader.collection("default").champion == version


def test_a_store_of_artifacts_that_hangs_holds_up_no_other_collection_and_is_used_when_it_answers(
    container: Container, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, _, _ = adapted(container)
    version = register(container, manifest)
    container.hotswap.promote("default", version, "won")
    container.catalog.upsert("shop", DOCUMENTS)
    answers, get = threading.Event(), container.registry.artifacts.get

    def hang(digest: str) -> bytes:
        answers.wait(20)
        return get(digest)

    monkeypatch.setattr(failures, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(container.registry.artifacts, "get", hang)
    following = threading.Thread(target=loader.follow, daemon=True)
    following.start()
    following.join(8)
    hung = following.is_alive()
    answers.set()
    following.join()
    assert not hung
    assert loader.collection("shop").champion == container.baseline.id
    assert len(container.hotswap.replicas("shop")) == 1
    loader.follow()
    assert loader.collection("default").champion == version


def test_a_version_that_failed_is_tried_at_once_when_it_is_promoted_again(container: Container, loader: Loader) -> None:
    manifest, digest, content = adapted(container)
    restore(container, digest, b"damaged")
    version = register(container, manifest)
    container.hotswap.promote("default", version, "won")
    loader.follow_versions()
    container.hotswap.rollback("default", "it does not load")
    loader.follow_versions()
    restore(container, digest, content)
    container.hotswap.promote("default", version, "restored")
    loader.follow_versions()
    assert loader.collection("default").champion == version


def test_a_new_replica_serves_the_champion_before_the_one_that_it_cannot_load(container: Container) -> None:
    good, better = register(container, linear(container)), register(container, linear(container, 2.0))
    container.hotswap.promote("default", good, "won")
    container.hotswap.promote("default", better, "won")
    broken = register(container, replace(container.baseline, adapter="0" * 64))
    container.hotswap.promote("default", broken, "unwisely")
    loader = container.make_loader(Assignments(container.engine))
    loader.follow()
    state = loader.state()["default"]
    assert (state["version"], state["champion"]) == (better, broken)
    assert str(state["problem"]).startswith(
        f"version {broken} does not load, version {better} serves instead: artifact 000"
    )
    assert loader.problems() == [f"collection default: {state['problem']}"]
    container.hotswap.promote("default", good, "the broken one is given up")
    loader.follow()
    assert (loader.state()["default"]["version"], loader.problems()) == (good, [])


def test_a_version_of_an_experiment_that_does_not_load_is_told(container: Container, loader: Loader) -> None:
    broken = register(container, replace(container.baseline, adapter="0" * 64))
    plan = ExperimentPlan("n", "ab", container.baseline.id, broken, planned_searches=10, min_days=0, max_days=1)
    container.experiments.start("default", container.experiments.create("default", plan).id)
    loader.follow()
    assert [problem for problem in loader.problems() if broken in problem and "experiment" in problem]


@pytest.mark.parametrize(
    "fault", ["missing artifact", "damaged artifact", "other encoder", "scores that are no numbers"]
)
def test_a_version_that_breaks_never_serves(container: Container, loader: Loader, fault: str) -> None:
    broken = register(container, break_manifest(container, fault))
    container.hotswap.promote("default", broken, "unwisely")
    loader.follow_versions()
    served = loader.collection("default")
    assert served.champion == container.baseline.id
    assert broken in served.problem
    assert container.hotswap.replicas("default")[0].problem == served.problem
    container.hotswap.rollback("default", "regret")
    loader.follow_versions()
    assert (served.champion, served.problem) == (container.baseline.id, "")
    assert container.hotswap.replicas("default")[0].problem == ""


def break_manifest(container: Container, fault: str) -> Manifest:
    if fault == "missing artifact":
        return replace(container.baseline, adapter="0" * 64)
    if fault == "damaged artifact":
        return replace(container.baseline, residuals=container.registry.artifacts.put(b"no arrays"))
    if fault == "other encoder":
        return replace(container.baseline, encoder="another-int8")
    nan = Adapter(np.full((DIMENSION, DIMENSION), np.nan, np.float32), np.zeros(DIMENSION, np.float32))
    return replace(
        linear(container), adapter=container.registry.artifacts.put(nan.to_bytes()), weights={"adapted": 1.0}
    )


def test_both_versions_of_a_running_experiment_are_held(container: Container, loader: Loader) -> None:
    fresh = register(container, linear(container))
    plan = ExperimentPlan("n", "ab", container.baseline.id, fresh, planned_searches=10, min_days=0, max_days=1)
    container.experiments.start("default", container.experiments.create("default", plan).id)
    loader.follow_versions()
    assert {container.baseline.id, fresh} <= loader.collection("default").rankers.keys()


def test_versions_of_the_past_are_forgotten_but_a_few(container: Container, loader: Loader) -> None:
    for number in range(8):
        container.hotswap.promote("default", register(container, linear(container, 1.0 + number)), "next")
        loader.follow_versions()
    served = loader.collection("default")
    assert len(served.rankers) <= 4
    assert served.champion in served.rankers


def test_a_loader_that_stops_leaves_the_table_of_replicas(container: Container) -> None:
    loader = container.make_loader(Assignments(container.engine))
    loader.start()
    assert loader.ready
    assert len(container.hotswap.replicas("default")) == 1
    loader.stop()
    assert not loader.ready
    assert container.hotswap.replicas("default") == []
