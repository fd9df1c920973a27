"""Versions, the champion pointer, and the artifacts they are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.contracts import Manifest
from foundation.errors import ArtifactDamaged, Conflict, NotFound
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "artifacts"))


@pytest.fixture
def registry(any_engine: sa.Engine, artifacts: ArtifactStore) -> Registry:
    return Registry(any_engine, artifacts)


def make_version(clock: FrozenClock, adapter: str = "", collection: str = "default") -> Version:
    manifest = Manifest("encoder", adapter=adapter)
    return Version(
        collection, manifest.id, "", "candidate", "trained", manifest, {"data": "d"}, {"ndcg": 0.5}, clock.now()
    )


def test_an_artifact_is_found_by_its_content(artifacts: ArtifactStore) -> None:
    digest = artifacts.put(b"weights")
    assert artifacts.put(b"weights") == digest
    assert artifacts.get(digest) == b"weights"


def test_a_missing_artifact_and_a_damaged_one_are_told_apart(artifacts: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="0000"):
        artifacts.get("0000")
    digest = artifacts.put(b"weights")
    (tmp_path / "artifacts" / digest).write_bytes(b"Weights")
    with pytest.raises(ArtifactDamaged, match=digest):
        artifacts.get(digest)


def test_a_registered_version_comes_back_whole(registry: Registry, clock: FrozenClock) -> None:
    version = make_version(clock)
    registry.register(version)
    registry.register(version)
    named = replace(version, name=f"trained-{clock.now():%Y-%m-%d}")
    assert registry.get("default", version.id) == named
    assert registry.list("default") == [named]


def test_versions_are_listed_newest_first(registry: Registry, clock: FrozenClock) -> None:
    for adapter in "abc":
        registry.register(make_version(clock, adapter))
        clock.advance(timedelta(hours=1))
    assert [version.manifest.adapter for version in registry.list("default", 2)] == ["c", "b"]


def test_promotion_moves_the_pointer_and_retires_the_one_before(registry: Registry, clock: FrozenClock) -> None:
    old, new = make_version(clock, "old"), make_version(clock, "new")
    registry.register(old)
    registry.register(new)
    assert registry.champion("default") == ""
    registry.move_champion("default", old.id, "first", clock.now())
    move = registry.move_champion("default", new.id, "better", clock.now())
    assert (move.sequence, move.version, move.previous) == (2, new.id, old.id)
    assert registry.champion("default") == new.id
    assert registry.get("default", old.id).status == "retired"
    assert registry.get("default", new.id).status == "champion"
    assert [move.sequence for move in registry.moves("default")] == [2, 1]


def test_rolling_back_is_a_move_too(registry: Registry, clock: FrozenClock) -> None:
    old, new = make_version(clock, "old"), make_version(clock, "new")
    for version in (old, new):
        registry.register(version)
        registry.move_champion("default", version.id, "on", clock.now())
    registry.move_champion("default", old.id, "back", clock.now())
    assert registry.champion("default") == old.id
    assert registry.get("default", old.id).status == "champion"


def test_what_cannot_be_promoted_is_refused(registry: Registry, clock: FrozenClock) -> None:
    with pytest.raises(NotFound, match="v-none"):
        registry.move_champion("default", "v-none", "typo", clock.now())
    version = make_version(clock)
    registry.register(version)
    registry.move_champion("default", version.id, "on", clock.now())
    with pytest.raises(Conflict, match="already"):
        registry.move_champion("default", version.id, "again", clock.now())


def test_every_collection_has_its_own_champion(registry: Registry, clock: FrozenClock) -> None:
    here, there = make_version(clock, "a"), make_version(clock, "b", "shop")
    for version in (here, there):
        registry.register(version)
        registry.move_champion(version.collection, version.id, "on", clock.now())
    assert registry.champions() == {"default": here.id, "shop": there.id}
    with pytest.raises(NotFound):
        registry.get("shop", here.id)


def test_a_refused_version_says_why(registry: Registry, clock: FrozenClock) -> None:
    version = make_version(clock)
    registry.register(version)
    registry.set_status("default", version.id, "refused", "ndcg fell by 0.02", clock.now())
    assert registry.get("default", version.id).reason == "ndcg fell by 0.02"


def test_what_goes_with_a_move_is_done_with_it_or_not_at_all(registry: Registry, clock: FrozenClock) -> None:
    old, new = make_version(clock, "old"), make_version(clock, "new")
    registry.register(old)
    registry.register(new)

    def fail(_connection: sa.Connection) -> None:
        raise RuntimeError("the disk is full")

    registry.move_champion("default", old.id, "first", clock.now())
    with pytest.raises(RuntimeError):
        registry.move_champion("default", new.id, "better", clock.now(), also=fail)
    assert registry.champion("default") == old.id
    registry.move_champion("default", new.id, "better", clock.now())
    with pytest.raises(RuntimeError):
        registry.roll_back("default", "regret", clock.now(), also=fail)
    assert registry.champion("default") == new.id
