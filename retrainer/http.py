"""The HTTP routes of versions and training runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from foundation.clock import Clock
from foundation.contracts import Manifest
from foundation.errors import NotFound
from foundation.registry.names import MAX_NAME, NAME_PATTERN
from foundation.registry.registry import Registry, Version
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of
from retrainer import bodies
from retrainer.hotswap import HotSwap
from retrainer.runs import Runs
from retrainer.timetable import ErasureRetraining

Name = Annotated[str, Path(description="Its id or name.", max_length=MAX_NAME, pattern=NAME_PATTERN)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most rows returned, newest first.")]


def make_router(
    registry: Registry,
    runs: Runs,
    hotswap: HotSwap,
    baseline: Manifest,
    collections: Callable[[], list[str]],
    erasure_retraining: ErasureRetraining,
    clock: Clock,
) -> APIRouter:
    """Return the routes of versions and training runs.

    Args:
        baseline: The untuned version, registered with a collection's first training run.
        collections: Returns the names of the collections that hold documents; no other is trained or promoted.
        erasure_retraining: Tells which versions learned from people erased since.
    """
    router = APIRouter(tags=["versions"])

    def check(collection: str) -> None:
        if collection not in collections():
            raise NotFound(f"collection {collection!r} has no documents; send some with PUT /v1/documents")

    def install(collection: str, actor: str) -> None:
        hotswap.install(collection, baseline, actor)

    _add_versions(router, registry, hotswap, baseline, erasure_retraining)
    _add_naming(router, registry, runs, erasure_retraining, clock)
    _add_moves(router, registry, hotswap, check, install)
    _add_runs(router, runs, check, install)
    return router


def _add_versions(
    router: APIRouter, registry: Registry, hotswap: HotSwap, baseline: Manifest, erasure_retraining: ErasureRetraining
) -> None:
    @router.get("/v1/versions", responses=problem_responses(422))
    def list_versions(collection: Collection, limit: Limit = 50) -> bodies.VersionsOut:
        """List versions, newest first, and what the replicas serve."""
        tainted = erasure_retraining.tainted(collection)
        return bodies.VersionsOut(
            champion=registry.champion(collection) or baseline.id,
            versions=[_version(version, tainted) for version in registry.list(collection, limit)],
            replicas=hotswap.replicas(collection),
        )

    @router.get("/v1/versions/{version}", responses=problem_responses(404, 422))
    def get_version(version: Name, collection: Collection) -> bodies.VersionWithHistory:
        """Read one version, with every status that it had."""
        found = registry.get(collection, version)
        history = registry.history(collection, found.id)
        return bodies.VersionWithHistory(**_version(found, erasure_retraining.tainted(collection)), history=history)


def _add_naming(
    router: APIRouter, registry: Registry, runs: Runs, erasure_retraining: ErasureRetraining, clock: Clock
) -> None:
    @router.patch("/v1/versions/{version}", responses=problem_responses(404, 409, 422))
    def name_version(version: Name, collection: Collection, body: bodies.NameIn, request: Request) -> bodies.VersionOut:
        """Give a version another name."""
        named = registry.rename(collection, version, body.name, at=clock.now(), actor=actor_of(request))
        return bodies.VersionOut(**_version(named, erasure_retraining.tainted(collection)))

    @router.patch("/v1/training-runs/{run}", responses=problem_responses(404, 409, 422))
    def name_run(run: Name, collection: Collection, body: bodies.NameIn, request: Request) -> bodies.RunOut:
        """Give a training run another name."""
        return bodies.RunOut.model_validate(runs.rename(collection, run, body.name, actor_of(request)))


def _add_moves(
    router: APIRouter,
    registry: Registry,
    hotswap: HotSwap,
    check: Callable[[str], None],
    install: Callable[[str, str], None],
) -> None:
    @router.post("/v1/versions/{version}/promote", responses=problem_responses(404, 409, 422))
    def promote(
        version: Name, collection: Collection, request: Request, body: bodies.MoveIn | None = None
    ) -> bodies.MoveOut:
        """Make a version the champion; replicas swap to it within their refresh time."""
        actor, wanted = actor_of(request), body or bodies.MoveIn.model_validate({})
        check(collection)
        for named in filter(None, (version, wanted.from_)):
            registry.get(collection, named)  # an unknown version is refused before anything is done
        install(collection, actor)
        move = hotswap.promote(collection, version, wanted.reason, actor, expected=wanted.from_)
        return bodies.MoveOut.model_validate(move)

    @router.post("/v1/versions/rollback", responses=problem_responses(404, 409, 422))
    def rollback(collection: Collection, request: Request, body: bodies.RollbackIn | None = None) -> bodies.MoveOut:
        """Go back to the version that the champion replaced.

        Name the champion in `from`: where it is another one by now, the answer is a 409 and nothing is done, so two
        people who roll back at once end at the same version. Without `from` one promotion is undone and no rollback.
        """
        wanted = body or bodies.RollbackIn.model_validate({})
        move = hotswap.rollback(collection, wanted.reason, actor_of(request), expected=wanted.from_, to=wanted.to)
        return bodies.MoveOut.model_validate(move)


def _add_runs(router: APIRouter, runs: Runs, check: Callable[[str], None], install: Callable[[str, str], None]) -> None:
    @router.post("/v1/training-runs", status_code=202, responses=problem_responses(404, 409, 422))
    def request_run(collection: Collection, request: Request, body: bodies.RunIn | None = None) -> bodies.RunOut:
        """Ask for a training run; read how it stands under its id or name."""
        check(collection)
        actor = actor_of(request)
        wanted = body or bodies.RunIn()
        run = runs.request(collection, wanted.autopilot, actor, wanted.learners)
        install(collection, actor)
        return bodies.RunOut.model_validate(run)

    @router.get("/v1/training-runs", responses=problem_responses(422))
    def list_runs(collection: Collection, limit: Limit = 50) -> list[bodies.RunOut]:
        """List training runs, newest first."""
        return [bodies.RunOut.model_validate(run) for run in runs.recent(collection, limit)]

    @router.get("/v1/training-runs/{run}", responses=problem_responses(404, 422))
    def get_run(run: Name, collection: Collection) -> bodies.RunOut:
        """Read one training run."""
        return bodies.RunOut.model_validate(runs.get(collection, run))


def _version(version: Version, tainted: frozenset[str]) -> dict[str, Any]:
    """Return the fields of an answer about a version."""
    told = {name: getattr(version, name) for name in Version.__slots__}
    return told | {"manifest": version.manifest.to_json(), "retrain_wanted": version.id in tainted}
