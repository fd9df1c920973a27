"""One statement tells whether anything changed, on each kind of database."""

from __future__ import annotations

import sqlalchemy as sa

from ab_testing.api import ExperimentPlan, Experiments
from foundation.clock import FrozenClock
from foundation.contracts import Document, Manifest
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from retrainer.hotswap import HotSwap
from serving.catalog.changes import ChangeCounts, read_changes
from serving.catalog.store import Catalog


def test_a_look_is_one_statement_and_tells_everything(any_engine: sa.Engine, clock: FrozenClock) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    catalog, experiments = Catalog(any_engine, clock), Experiments(any_engine, clock)
    registry = Registry(any_engine, ArtifactStore("memory://looks"))
    read_changes(any_engine)  # a first connection asks the database who it is
    sa.event.listen(any_engine, "before_cursor_execute", note)
    nothing = read_changes(any_engine)
    sa.event.remove(any_engine, "before_cursor_execute", note)
    assert (nothing, len(statements)) == (ChangeCounts(), 1)

    catalog.upsert("shop", [Document("a", "a", "a"), Document("b", "b", "b")])
    champion = HotSwap(any_engine, registry, clock).install("shop", Manifest(encoder="e"))
    other = Manifest(encoder="e", fusion="rrf")
    registry.register(Version("shop", other.id, "", "approved", "", other, {}, {}, created_at=clock.now()))
    plan = ExperimentPlan("n", "ab", champion, other.id, planned_searches=10, min_days=0, max_days=1)
    running = experiments.start("shop", experiments.create("shop", plan).id)
    seen = read_changes(any_engine)
    assert (seen.documents, seen.champions) == ({"shop": 2}, {"shop": 1})
    assert seen.running == {(f"shop:{running.id}:{running.pinned}", running.started_at)}
    assert read_changes(any_engine) == seen
    assert catalog.count("shop") == 2  # connections are as they were: transactions begin again
