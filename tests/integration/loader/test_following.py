"""A replica follows documents, evidence and versions without a request noticing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from ab_testing.api import Assignments, ExperimentPlan, Visitor
from clickloop.container import Container
from collector.join.batch import fold_batch
from collector.join.retention_watermark import lock_evidence
from foundation.contracts import Document, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.errors import Conflict, NotFound, NotReady
from serving.catalog.changes import read_changes
from serving.live.loader import Loader
from tests.integration.loader.conftest import DOCUMENTS, linear, register, served_ids


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
    loader = container.make_loader(Assignments(container.engine, container.clock))
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
    loader = container.make_loader(Assignments(container.engine, container.clock))
    loader.start()
    assert loader.ready
    assert len(container.hotswap.replicas("default")) == 1
    loader.stop()
    assert not loader.ready
    assert container.hotswap.replicas("default") == []


def test_a_move_by_hand_ends_the_experiment_and_every_replica_follows_with_its_next_look(
    container: Container, loader: Loader
) -> None:
    hotswap = container.make_hotswap(loader.move)
    replicas = [loader, container.make_loader(Assignments(container.engine, container.clock))]
    tested = register(container, linear(container))
    moves: list[Callable[[], object]] = [
        lambda: hotswap.promote("default", tested, "a person knows"),
        lambda: hotswap.rollback("default", "regret"),
    ]
    for move in moves:
        champion = container.registry.champion("default")
        other = tested if champion == container.baseline.id else container.baseline.id
        plan = ExperimentPlan("n", "ab", champion, other, planned_searches=10, min_days=0, max_days=1)
        experiment = container.experiments.create("default", plan).id
        container.experiments.start("default", experiment)
        for replica in replicas:
            replica.follow()
            assert replica.collection("default").snapshot.arms.keys() == {(experiment, 1)}

        move()

        assert container.experiments.get("default", experiment).state == "stopped"
        [decision] = container.experiments.decisions("default", experiment)
        assert (decision.verdict, "champion" in decision.reason) == ("stopped", True)
        assert loader.collection("default").champion == other
        for replica in replicas:
            replica.follow()
            assert replica.collection("default").champion == other
            assert replica.collection("default").snapshot.arms == {}


def test_replicas_look_more_than_once_a_second(container: Container) -> None:
    assert 0 < container.settings.refresh_s <= 0.5


def test_a_move_that_is_refused_ends_no_experiment(container: Container, loader: Loader) -> None:
    tested = register(container, linear(container))
    plan = ExperimentPlan("n", "ab", container.baseline.id, tested, planned_searches=10, min_days=0, max_days=1)
    experiment = container.experiments.create("default", plan).id
    container.experiments.start("default", experiment)
    with pytest.raises(Conflict):
        container.hotswap.promote("default", container.baseline.id, "it is that already")
    assert container.experiments.get("default", experiment).state == "running"


def test_a_replica_knows_the_arms_that_others_gave_to_nameless_visits(container: Container, loader: Loader) -> None:
    tested = register(container, linear(container))
    plan = ExperimentPlan("n", "ab", container.baseline.id, tested, planned_searches=10, min_days=0, max_days=1)
    experiment = container.experiments.start("default", container.experiments.create("default", plan).id)
    visits = [f"visit-{number}" for number in range(20)]
    first, second = (Assignments(container.engine, container.clock) for _ in range(2))
    first.refresh()
    replica = container.make_loader(second)
    replica.follow()
    before = [first.assign("default", Visitor(session=visit)) for visit in visits]
    lists = [
        Impression(
            collection="default",
            query_id=f"q-{number}",
            query="kettle",
            unit=given.unit,
            version=tested,
            results=(ShownResult("kettle", 1, 1.0),),
            at=container.clock.now(),
            experiment=experiment.id,
            arm=given.arm,
            drawn_by=given.unit,
            run=1,
        )
        for number, given in enumerate(before)
        if given
    ]
    with transaction(container.engine) as connection:
        fold_batch(connection, lists, container.settings)

    replica.follow()

    after = [second.assign("default", Visitor(user=f"user of {visit}", session=visit)) for visit in visits]
    assert [one.arm for one in after if one] == [one.arm for one in before if one]
    assert len({one.arm for one in after if one}) == 2
