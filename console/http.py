"""The console: pages that show what the loop does, and buttons that call the HTTP API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse

from ab_testing.api import Experiments
from collector.api import count_days, total
from console.rendering import PageTemplates, route_class
from foundation.access.actions import latest_actions
from foundation.clock import Clock
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import Conflict, NotFound
from foundation.registry.champion_moves import find_way_back
from foundation.registry.registry import Registry, Version
from retrainer.api import GoldSet, HotSwap, Runs, read_threshold

_STATIC = Path(__file__).parent / "static"
_MAX_ANCESTORS = 20
_MAX_ROWS = 100
_MAX_JUDGMENTS = 1000

CollectionName = Annotated[str, Query(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
State = Callable[[], Mapping[str, Mapping[str, Any]]]


def make_pages() -> PageTemplates:
    """Return the templates of this release."""
    return PageTemplates(installed_version("clickloop"))


def make_router(
    registry: Registry,
    runs: Runs,
    hotswap: HotSwap,
    experiments: Experiments,
    state: State,
    engine: sa.Engine,
    clock: Clock,
    *,
    false_promotions_a_year: float = 0.0,
) -> APIRouter:
    """Return the pages under /console; they read, and leave every change to the HTTP API.

    Args:
        state: What this replica serves, by collection; see `serving.live.loader.Loader.state`.
        engine: Read for the counts of searches and clicks, of clicked queries, and of judgments.
        false_promotions_a_year: What the schedule of automatic experiments makes at most.
    """
    pages = make_pages()
    router = APIRouter(prefix="/console", include_in_schema=False, route_class=route_class(pages))

    def show(template: str, collection: str, **values: Any) -> HTMLResponse:
        served = state()
        champion = registry.champion(collection) or str(served.get(collection, {}).get("version", ""))
        names = sorted({*served, collection})
        return pages.show(
            template,
            collection=collection,
            collections=names,
            served=served,
            champion=champion,
            names=registry.names(collection),
            **values,
        )

    @router.get("")
    def overview(collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """Show what serves, who serves it, and how much it is used."""
        days = count_days(engine, collection, clock.now())
        return show(
            "overview.html",
            collection,
            days=days,
            week=total(days),
            replicas=hotswap.replicas(collection),
            moves=registry.moves(collection, 10),
            running=[one for one in experiments.running() if one.collection == collection],
            active=[run for run in runs.active() if run.collection == collection],
            actions=latest_actions(engine, collection, 10),
        )

    @router.get("/search")
    def search(
        collection: CollectionName = DEFAULT_COLLECTION,
        q: Annotated[str, Query(max_length=1000)] = "",
        k: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> HTMLResponse:
        """Let a person try a query; the script asks the API and leaves no impression."""
        return show("search.html", collection, q=q, k=k)

    @router.get("/versions")
    def list_versions(collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """List the versions, with promotion and rollback."""
        versions, previous = registry.list(collection, _MAX_ROWS), _way_back(registry, collection)
        return show("versions.html", collection, versions=versions, previous=previous)

    @router.get("/versions/{version}")
    def show_version(version: str, collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """Show what a version is made of, from what, and what the gate measured."""
        found = registry.get(collection, version)
        history = registry.history(collection, found.id)
        return show("version.html", collection, version=found, ancestry=_ancestry(registry, found), history=history)

    _add_experiments(router, pages, show, experiments, false_promotions_a_year)

    @router.get("/training-runs")
    def list_runs(collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """List the training runs, with a form that asks for another."""
        threshold = read_threshold(engine, collection, clock.now())
        return show("runs.html", collection, runs=runs.recent(collection, _MAX_ROWS), threshold=threshold)

    @router.get("/gold")
    def judge(
        collection: CollectionName = DEFAULT_COLLECTION, q: Annotated[str, Query(max_length=1000)] = ""
    ) -> HTMLResponse:
        """Let a person judge queries; the script asks the API for them."""
        found = GoldSet(engine, clock).read(collection)
        queries = len({one.query for one in found})
        return show("gold.html", collection, q=q, judged=found[:_MAX_JUDGMENTS], queries=queries, total=len(found))

    @router.get("/static/{name}")
    def static(name: Literal["console.css", "console.js"]) -> FileResponse:
        """Give the stylesheet or the script."""
        return FileResponse(_STATIC / name, headers={"Cache-Control": "max-age=300"})

    return router


def _add_experiments(
    router: APIRouter, pages: PageTemplates, show: Callable[..., HTMLResponse], experiments: Experiments, yearly: float
) -> None:
    @router.get("/experiments")
    def list_experiments(collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """List the experiments."""
        listed = experiments.list(collection, _MAX_ROWS)
        return show("experiments.html", collection, experiments=listed, yearly=yearly)

    @router.get("/experiments/{experiment}")
    def show_experiment(experiment: str, collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """Show an experiment's scorecard and what was decided."""
        return show(
            "experiment.html",
            collection,
            card=experiments.report(collection, experiment),
            decisions=experiments.decisions(collection, experiment),
            days=experiments.days(collection, experiment),
        )

    @router.get("/experiments/{experiment}/report")
    def report_experiment(experiment: str, collection: CollectionName = DEFAULT_COLLECTION) -> HTMLResponse:
        """Give the page of a report, to browsers that the console knows."""
        return pages.show_report(experiments.whole_report(collection, experiment))


def _way_back(registry: Registry, collection: str) -> str:
    """Return where a rollback leads, "" where there is no way back."""
    moves = registry.moves(collection, None)
    try:
        return find_way_back(collection, reversed(moves), moves[0].version if moves else "")
    except Conflict:
        return ""


def _ancestry(registry: Registry, version: Version) -> list[Version]:
    """Return the parents of a version, nearest first, as far as they are registered."""
    parents: list[Version] = []
    while version.parent and len(parents) < _MAX_ANCESTORS:
        try:
            version = registry.get(version.collection, version.parent)
        except NotFound:
            break  # registered elsewhere, or before this database
        parents.append(version)
    return parents
