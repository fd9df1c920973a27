"""A version that does not load serves nobody, is told, and is tried again."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ab_testing.api import Arm, ArmSettings, Assignments, ExperimentPlan
from clickloop.container import Container
from foundation.telemetry.metrics import METRICS
from serving.live import failures
from serving.live.loader import Loader
from tests.integration.loader.conftest import DOCUMENTS, adapted, break_manifest, linear, register, restore


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
    loader = container.make_loader(Assignments(container.engine, container.clock))
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


@pytest.mark.parametrize(
    ("settings", "reason"), [(ArmSettings(rerank=True), "reranks"), (ArmSettings(fusion="linear"), "learned weights")]
)
def test_an_arm_that_wants_what_is_not_there_is_told_and_nobody_takes_part(
    container: Container, loader: Loader, settings: ArmSettings, reason: str
) -> None:
    champion = container.hotswap.install("default", container.baseline)
    arms = (Arm("control", champion), Arm("treatment", champion, settings))
    plan = ExperimentPlan("n", "ab", arms=arms, planned_searches=10, min_days=0, max_days=1)
    experiment = container.experiments.create("default", plan).id
    container.experiments.start("default", experiment)
    loader.follow()
    assert reason in loader.experiment_problems("default")[experiment]
    assert loader.collection("default").snapshot.arms == {}
    container.experiments.stop("default", experiment)
    loader.follow()
    assert loader.problems() == []
