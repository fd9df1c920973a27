"""The composition root: makes every part, hands each what it needs, and joins them to one service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

import ab_testing.routes
import collector.client_script
import collector.compatible
import collector.people
import collector.quarantine_routes
import collector.reports.propensity
import collector.reports.routes
import collector.routes
import console.routes
import retrainer.routes
import serving.context
import serving.documents
import serving.fields
import serving.index
import serving.routes
import serving.suggest
from ab_testing.api import Assignments
from clickloop.parts import Parts
from clickloop.shared_metrics import render_metrics
from collector.door import Door
from collector.erasure import Eraser
from collector.reception import MergeItems
from foundation.contracts import PRIOR_CURVE, ClickCurve
from foundation.errors import NotReady
from foundation.extras import needs_extra
from foundation.gate import KeyGate
from foundation.origins import allow_origins
from foundation.settings import Settings
from foundation.web import install_edge
from serving.admission import Admission, SearchGate
from serving.impressions import ImpressionLog
from serving.loader import Loader
from serving.search import Searcher
from serving.suggest import Suggester

_FROM_BROWSERS = ("/v1/search", "/v1/events")


def make_app(settings: Settings) -> FastAPI:
    """Return the service, which answers requests; `clickloop.background` collects and retrains."""
    parts = Parts(settings)
    assignments = Assignments(parts.engine)
    loader = parts.make_loader(assignments)
    parts.hotswap.moved = loader.move

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loader.start()
        yield
        loader.stop()
        end_tracing()
        parts.log.close()
        parts.engine.dispose()

    app = FastAPI(
        title="clickloop",
        version=version("clickloop"),
        description="Search that learns from its clicks.",
        lifespan=lifespan,
    )
    if settings.require_keys:
        app.add_middleware(KeyGate, keys=parts.keys, refusals=collector.compatible.REFUSALS)
    install_edge(app, settings.max_body_bytes)
    allow_origins(app, settings.origins(), _FROM_BROWSERS)
    end_tracing = _trace(app, settings.otlp_url)
    admission = Admission(os.cpu_count() or 1, settings.patience_ms / 1000)
    app.add_middleware(SearchGate, admission=admission)
    impressions = ImpressionLog(parts.log)
    searcher = Searcher(
        loader,
        assignments,
        impressions,
        admission,
        parts.clock,
        parts.privacy,
        parts.query_ids,
        tell_queries=settings.log_queries,
    )
    app.include_router(serving.routes.make_router(searcher, settings.budget_ms))
    app.include_router(serving.context.make_router(searcher, settings.budget_ms))
    suggester = Suggester(parts.engine, parts.clock, settings.suggest_least_users)
    app.include_router(serving.suggest.make_router(suggester))
    app.include_router(serving.documents.make_router(parts.catalog, settings, loader.note_change))
    app.include_router(serving.index.make_router(parts.catalog, loader, parts.builds, parts.generations))
    app.include_router(serving.fields.make_router(parts.declarations, parts.content.describe_fields))
    door = Door(parts.query_ids, settings)
    app.include_router(
        collector.routes.make_router(parts.log, parts.clock, settings, parts.engine, door, parts.privacy)
    )
    eraser = Eraser(parts.engine, parts.log, parts.privacy.pseudonyms, settings, parts.clock)
    app.include_router(collector.people.make_router(eraser))
    app.include_router(collector.quarantine_routes.make_router(parts.quarantine, parts.privacy))
    app.include_router(collector.reports.routes.make_router(parts.engine, parts.clock, settings))
    app.include_router(
        collector.reports.propensity.make_router(parts.engine, settings.lists_per_user, _curve_in_use(parts))
    )
    app.include_router(collector.client_script.make_router())
    app.include_router(
        collector.compatible.make_router(
            parts.log, parts.clock, settings, _merge_items(parts, loader), door, parts.privacy
        )
    )
    app.include_router(ab_testing.routes.make_router(parts.experiments, _version_exists(parts)))
    app.include_router(
        retrainer.routes.make_router(
            parts.registry, parts.runs, parts.hotswap, parts.baseline, parts.catalog.collections, parts.oblivion
        )
    )
    app.include_router(
        console.routes.make_router(
            parts.registry, parts.runs, parts.hotswap, parts.experiments, loader.state, parts.engine, parts.clock
        )
    )
    _add_probes(app, loader)
    return app


def _curve_in_use(parts: Parts) -> Callable[[str], ClickCurve]:
    def find(collection: str) -> ClickCurve:
        champion = parts.registry.champion(collection)
        return parts.registry.get(collection, champion).manifest.curve if champion else PRIOR_CURVE

    return find


def _trace(app: FastAPI, url: str) -> Callable[[], None]:
    """Trace requests if there is a URL, and return what ends it; MissingExtra when that is not installed."""
    if not url:
        return lambda: None
    with needs_extra("otel", "CLICKLOOP_OTLP_URL"):
        from foundation.tracing import install_tracing  # noqa: PLC0415  needs OpenTelemetry, which only the extra `otel` installs
    return install_tracing(app, url)


def _version_exists(parts: Parts) -> Callable[[str, str], bool]:
    def exists(collection: str, wanted: str) -> bool:
        return wanted == parts.baseline.id or any(one.id == wanted for one in parts.registry.list(collection, 1000))

    return exists


def _merge_items(parts: Parts, loader: Loader) -> MergeItems:
    def merge(collection: str, items: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        statuses = parts.catalog.merge(collection, items)
        loader.note_change(collection, [])
        return statuses

    return merge


def _add_probes(app: FastAPI, loader: Loader) -> None:
    @app.get("/healthz", tags=["operations"])
    def health() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"])
    def ready() -> dict[str, Any]:
        """Tell what this replica serves; 503 until every collection there was at its start has a whole version."""
        if not loader.ready:
            raise NotReady("this replica is still loading; ask again in a second")
        return {"status": "ready", "collections": loader.state()}

    @app.get("/metrics", tags=["operations"], response_class=Response)
    def metrics() -> Response:
        """Give the metrics of all processes of this server in Prometheus' text form."""
        return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)
