"""The champion pointer moves, is followed, and goes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.contracts import Manifest
from foundation.database.engine import transaction, upsert
from foundation.errors import Conflict, NotFound
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from retrainer.hotswap import HotSwap
from serving.tables import replicas

BASELINE = Manifest(encoder="e")
FRESH = Manifest(encoder="e", fusion="rrf")


@pytest.fixture
def registry(engine: sa.Engine, tmp_path: Path) -> Registry:
    return Registry(engine, ArtifactStore(str(tmp_path / "artifacts")))


@pytest.fixture
def hotswap(engine: sa.Engine, registry: Registry, clock: FrozenClock) -> HotSwap:
    hotswap = HotSwap(engine, registry, clock)
    hotswap.install("default", BASELINE)
    registry.register(
        Version("default", FRESH.id, BASELINE.id, "approved", "better", FRESH, {}, {}, created_at=clock.now())
    )
    return hotswap


def report(engine: sa.Engine, clock: FrozenClock, name: str, version: str, problem: str = "") -> None:
    row = {"collection": "default", "replica": name, "version": version, "problem": problem, "seen_at": clock.now()}
    with transaction(engine) as connection:
        upsert(connection, replicas, [row])


def test_the_first_champion_is_the_baseline(hotswap: HotSwap, registry: Registry) -> None:
    assert registry.champion("default") == BASELINE.id
    assert hotswap.install("default", FRESH) == BASELINE.id
    assert registry.get("default", BASELINE.id).status == "champion"


def test_of_two_who_install_the_first_champion_at_once_both_succeed(
    hotswap: HotSwap, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "champion", lambda _: "")  # as it was when this one looked
    assert hotswap.install("default", BASELINE, "key:otto") == BASELINE.id
    assert [move.actor for move in registry.moves("default")] == ["local"]
    assert registry.get("default", BASELINE.id).status == "champion"


def test_a_first_install_takes_back_no_promotion(
    hotswap: HotSwap, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotswap.promote("default", FRESH.id, "won")
    monkeypatch.setattr(registry, "champion", lambda _: "")
    assert hotswap.install("default", BASELINE) == FRESH.id
    assert len(registry.moves("default")) == 2


def test_a_rollback_goes_where_the_pointer_was(hotswap: HotSwap, registry: Registry) -> None:
    move = hotswap.promote("default", FRESH.id, "won")
    assert (move.version, move.previous) == (FRESH.id, BASELINE.id)
    back = hotswap.rollback("default", "regret")
    assert (back.version, back.previous, back.reason) == (BASELINE.id, FRESH.id, "regret")
    assert registry.champion("default") == BASELINE.id
    assert registry.get("default", FRESH.id).status == "retired"


def test_there_is_nothing_before_the_first_version(hotswap: HotSwap) -> None:
    with pytest.raises(Conflict, match="no earlier version"):
        hotswap.rollback("default", "regret")
    with pytest.raises(Conflict, match="no earlier version"):
        hotswap.rollback("shop", "regret")


def test_unknown_and_present_champions_cannot_be_promoted(hotswap: HotSwap) -> None:
    with pytest.raises(NotFound):
        hotswap.promote("default", "v-none", "why not")
    with pytest.raises(Conflict):
        hotswap.promote("default", BASELINE.id, "again")


def test_replicas_that_do_not_follow_are_named_when_they_have_had_time(
    engine: sa.Engine, hotswap: HotSwap, clock: FrozenClock
) -> None:
    report(engine, clock, "one", BASELINE.id)
    hotswap.promote("default", FRESH.id, "won")
    assert hotswap.behind("default") is None
    clock.advance(timedelta(seconds=29))
    report(engine, clock, "one", BASELINE.id)
    assert hotswap.behind("default") is None
    clock.advance(timedelta(seconds=1))
    assert [replica.name for replica in hotswap.behind("default") or ()] == ["one"]


def test_nobody_waits_for_a_replica_that_has_a_problem(engine: sa.Engine, hotswap: HotSwap, clock: FrozenClock) -> None:
    hotswap.promote("default", FRESH.id, "won")
    report(engine, clock, "one", FRESH.id)
    report(engine, clock, "two", BASELINE.id, problem="its artifact is missing")
    behind = hotswap.behind("default") or ()
    assert [(replica.name, replica.problem) for replica in behind] == [("two", "its artifact is missing")]
    report(engine, clock, "two", FRESH.id)
    assert hotswap.behind("default") == []


def test_nobody_waits_for_a_replica_that_died(engine: sa.Engine, hotswap: HotSwap, clock: FrozenClock) -> None:
    report(engine, clock, "dead", BASELINE.id)
    clock.advance(timedelta(minutes=2))
    hotswap.promote("default", FRESH.id, "won")
    report(engine, clock, "alive", FRESH.id)
    assert [replica.name for replica in hotswap.replicas("default")] == ["alive"]
    assert hotswap.behind("default") == []
