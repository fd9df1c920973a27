"""Both sides of an experiment read the evidence that it pinned; everybody else reads what is live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ab_testing.api import Assignments, Experiment, ExperimentPlan
from ab_testing.pinning.pins import write_pin
from clickloop.container import Container
from foundation.contracts import CURVE_RANKS, Evidence, query_key
from foundation.packed_evidence import pack
from serving.live import failures
from serving.live import pinned as module
from serving.live.loader import Loader
from serving.ranking.live_evidence import LiveMemory
from tests.integration.loader.conftest import linear, register, restore

KEY = query_key("kettle")


@pytest.fixture
def assignments(container: Container) -> Assignments:
    return Assignments(container.engine, container.clock)


@pytest.fixture
def loader(container: Container, assignments: Assignments, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setattr(module, "_WAIT_S", 10.0)
    loader = container.make_loader(assignments)
    loader.follow_content()
    loader.follow_versions()
    return loader


def pin(container: Container, clicks: float) -> str:
    counts = (clicks,) + (0.0,) * (CURVE_RANKS - 1)
    rows = pack([Evidence(KEY, "kettle", counts, counts, users=clicks)])
    return container.registry.artifacts.put(write_pin(rows, 5))


def pinned_experiment(container: Container, digest: str) -> Experiment:
    tested = register(container, linear(container))
    plan = ExperimentPlan("n", "ab", container.baseline.id, tested, planned_searches=10, min_days=0, max_days=1)
    now = container.clock.now()
    return Experiment("default", "e", plan, "running", 1, now, started_at=now, pinned=digest)


def read_by(loader: Loader) -> set[LiveMemory | None]:
    """Return the memories that the arms read, no arms none."""
    arms = loader.collection("default").snapshot.arms
    return {arm.ranker.live for mine in arms.values() for arm in mine.values()}


def clicks(memory: LiveMemory | None) -> float:
    assert memory is not None
    known = memory.evidence(KEY)
    assert known is not None
    return float(known.clicked[0, 0])


def test_both_sides_read_what_was_pinned_and_nobody_else_does(
    container: Container, loader: Loader, assignments: Assignments
) -> None:
    experiment = pinned_experiment(container, pin(container, 3.0))
    assignments.replace([experiment])
    loader.follow_versions()
    served = loader.collection("default")
    [memory] = read_by(loader)
    assert clicks(memory) == 3.0
    for arm in served.snapshot.arms["e", 1].values():
        assert (arm.knows(KEY), arm.knows("never asked")) == (True, False)
    assert {ranker.live for ranker in served.rankers.values()} == {served.live}
    served.live.update(pack([Evidence(KEY, "ladder", (9.0,) * CURVE_RANKS, (9.0,) * CURVE_RANKS, users=9)]), 99)
    assert clicks(memory) == 3.0


def test_shared_evidence_is_the_live_one(container: Container, loader: Loader, assignments: Assignments) -> None:
    experiment = pinned_experiment(container, pin(container, 3.0))
    assignments.replace([replace(experiment, plan=replace(experiment.plan, evidence="shared"))])
    loader.follow_versions()
    assert read_by(loader) == {loader.collection("default").live}


def test_a_pin_that_moves_is_swapped_on_both_sides_at_once_and_the_old_one_is_dropped(
    container: Container, loader: Loader, assignments: Assignments
) -> None:
    first, second = pin(container, 3.0), pin(container, 4.0)
    experiment = pinned_experiment(container, first)
    assignments.replace([experiment])
    loader.follow_versions()
    assignments.replace([replace(experiment, pinned=second)])
    loader.follow_versions()
    [memory] = read_by(loader)
    assert clicks(memory) == 4.0
    assert loader._participation._pinned._held.keys() == {second}
    assignments.replace([])
    loader.follow_versions()
    assert loader._participation._pinned._held == {}


def test_until_it_is_loaded_nobody_takes_part_and_it_is_told(
    container: Container, loader: Loader, assignments: Assignments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_FIRST_PAUSE_S", 0.0)
    digest = pin(container, 3.0)
    content = container.registry.artifacts.get(digest)
    restore(container, digest, b"damaged")
    assignments.replace([pinned_experiment(container, digest)])
    loader.follow_versions()
    assert read_by(loader) == set()
    [problem] = loader.problems()
    assert "nobody takes part in experiment e here" in problem
    assert loader.experiment_problems("default").keys() == {"e"}
    restore(container, digest, content)
    loader.follow_versions()
    assert [clicks(memory) for memory in read_by(loader)] == [3.0]
    assert loader.problems() == []


def test_a_new_pin_that_does_not_load_leaves_both_sides_with_the_old_one(
    container: Container, loader: Loader, assignments: Assignments
) -> None:
    first, second = pin(container, 3.0), pin(container, 4.0)
    experiment = pinned_experiment(container, first)
    assignments.replace([experiment])
    loader.follow_versions()
    restore(container, second, b"damaged")
    assignments.replace([replace(experiment, pinned=second)])
    for _ in range(2):
        loader.follow_versions()
        assert [clicks(memory) for memory in read_by(loader)] == [3.0]
        assert "both sides read on what was pinned before" in loader.problems()[0]
