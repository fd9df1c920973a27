"""The HTTP routes of versions and training runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from foundation.contracts import Manifest
from foundation.errors import NotFound
from foundation.registry import ChampionMove, Registry, Version
from foundation.web import collection_of, problem_responses
from retrainer.hotswap import HotSwap
from retrainer.oblivion import Oblivion
from retrainer.runs import Run, Runs

Collection = Annotated[str, Depends(collection_of)]
Name = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
Limit = Annotated[int, Query(ge=1, le=500, description="Most rows returned, newest first.")]


class VersionOut(BaseModel):
    """A version with its lineage."""

    id: str
    parent: str = Field(description="The version it was trained from.")
    status: str = Field(description="candidate, approved, refused, champion or retired.")
    reason: str = Field(description="Why it has this status.")
    manifest: dict[str, Any] = Field(description="Digests of its artifacts, fusion weights and click curve.")
    lineage: dict[str, Any] = Field(description="Data digest, training run, code version, seed.")
    metrics: dict[str, Any] = Field(description="What the gate measured.")
    created_at: datetime
    retrain_wanted: bool = Field(description="It may have learned from a person erased since; train a new one.")


class ReplicaOut(BaseModel):
    """What one replica serves."""

    name: str
    version: str
    problem: str = Field(description="Why it does not serve the champion, empty when it does.")


class VersionsOut(BaseModel):
    """A collection's versions."""

    champion: str
    versions: list[VersionOut]
    replicas: list[ReplicaOut]


class MoveOut(BaseModel):
    """A move of the champion pointer."""

    version: str
    previous: str
    reason: str
    at: datetime


class MoveIn(BaseModel):
    """Why the pointer is moved."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("by hand", max_length=500)


class RunIn(BaseModel):
    """A request to train."""

    model_config = ConfigDict(extra="forbid", strict=True)

    autopilot: bool = Field(False, description="Go on after the gate: experiment, verdict, promotion.")


class RunOut(BaseModel):
    """A training run."""

    id: str
    state: str = Field(description="active, approved, promoted, refused, dropped or failed.")
    step: str = Field(description="What is done next: train, experiment, watch, promote, done.")
    autopilot: bool
    version: str = Field(description="The candidate, once trained.")
    experiment: str = Field(description="The experiment that proves it, once made.")
    report: dict[str, Any] = Field(description="What each finished step said.")
    requested_at: datetime
    updated_at: datetime


def make_router(
    registry: Registry,
    runs: Runs,
    hotswap: HotSwap,
    baseline: Manifest,
    collections: Callable[[], list[str]],
    oblivion: Oblivion,
) -> APIRouter:
    """Return the routes of versions and training runs.

    Args:
        baseline: The untuned version, registered with a collection's first training run.
        collections: Returns the names of the collections that hold documents; no other is trained or promoted.
        oblivion: Tells which versions learned from people erased since.
    """
    router = APIRouter(tags=["versions"])

    def install(collection: str) -> None:
        if collection not in collections():
            raise NotFound(f"collection {collection!r} has no documents; send some with PUT /v1/documents")
        hotswap.install(collection, baseline)

    @router.get("/v1/versions", responses=problem_responses(422))
    def list_versions(collection: Collection, limit: Limit = 50) -> VersionsOut:
        """List versions, newest first, and what the replicas serve."""
        tainted = oblivion.tainted(collection)
        return VersionsOut(
            champion=registry.champion(collection) or baseline.id,
            versions=[_version(version, tainted) for version in registry.list(collection, limit)],
            replicas=[
                ReplicaOut(name=replica.name, version=replica.version, problem=replica.problem)
                for replica in hotswap.replicas(collection)
            ],
        )

    @router.get("/v1/versions/{version}", responses=problem_responses(404, 422))
    def get_version(version: Name, collection: Collection) -> VersionOut:
        """Read one version."""
        return _version(registry.get(collection, version), oblivion.tainted(collection))

    @router.post("/v1/versions/{version}/promote", responses=problem_responses(404, 409, 422))
    def promote(version: Name, collection: Collection, body: MoveIn | None = None) -> MoveOut:
        """Make a version the champion; replicas swap to it within their refresh time."""
        install(collection)
        return _move(hotswap.promote(collection, version, (body or MoveIn()).reason))

    @router.post("/v1/versions/rollback", responses=problem_responses(409, 422))
    def rollback(collection: Collection, body: MoveIn | None = None) -> MoveOut:
        """Go back to the champion before the present one."""
        return _move(hotswap.rollback(collection, (body or MoveIn()).reason))

    @router.post("/v1/training-runs", status_code=202, responses=problem_responses(404, 409, 422))
    def request_run(collection: Collection, body: RunIn | None = None) -> RunOut:
        """Ask for a training run; read how it stands under its id."""
        install(collection)
        return _run(runs.request(collection, (body or RunIn()).autopilot))

    @router.get("/v1/training-runs", responses=problem_responses(422))
    def list_runs(collection: Collection, limit: Limit = 50) -> list[RunOut]:
        """List training runs, newest first."""
        return [_run(run) for run in runs.recent(collection, limit)]

    @router.get("/v1/training-runs/{run}", responses=problem_responses(404, 422))
    def get_run(run: Name, collection: Collection) -> RunOut:
        """Read one training run."""
        return _run(runs.get(collection, run))

    return router


def _version(version: Version, tainted: frozenset[str]) -> VersionOut:
    made_here = {"manifest": version.manifest.to_json(), "retrain_wanted": version.id in tainted}
    fields = {name: getattr(version, name) for name in VersionOut.model_fields if name not in made_here}
    return VersionOut(**fields, **made_here)


def _move(move: ChampionMove) -> MoveOut:
    return MoveOut(version=move.version, previous=move.previous, reason=move.reason, at=move.at)


def _run(run: Run) -> RunOut:
    return RunOut(**{name: value for name, value in asdict(run).items() if name in RunOut.model_fields})
