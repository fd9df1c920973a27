"""The composition root: makes every part, hands each what it needs, and joins them to one service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.middleware import Middleware
from prometheus_client import CONTENT_TYPE_LATEST

import ab_testing.exposures.http
import ab_testing.http
import ab_testing.own_metrics.http
import ab_testing.planning.http
import ab_testing.report_http
import ab_testing.webhooks.http
import collector.browser.http
import collector.checks.http
import collector.intake.compatible_http
import collector.intake.http
import collector.privacy.http
import collector.quarantine.http
import collector.reports.http
import collector.reports.propensity_http
import console.http
import foundation.web.http
import retrainer.autopilot.http
import retrainer.data.http
import retrainer.diagnosis.http
import retrainer.gold.http
import retrainer.http
import serving.browser.http
import serving.http.assignments
import serving.http.collections
import serving.http.compatible.algolia
import serving.http.compatible.metarank
import serving.http.context
import serving.http.documents
import serving.http.fields
import serving.http.index
import serving.http.rank
import serving.http.relevance
import serving.http.search
import serving.http.suggest
from ab_testing.api import Assignments, OwnMetrics, experiments_a_year, false_promotions_a_year
from clickloop.container import CONSUMER, Container
from clickloop.server.readiness import DatabaseSource, ProblemSource, Readiness
from collector.dead_letters.alarm import DeadLetterAlarm
from collector.intake.pipeline import IntakePipeline
from collector.intake.policy import IntakePolicy
from collector.join.lag import LagWatch
from collector.privacy.erasure import Eraser
from collector.reports.query_report import MAX_SEARCHES, report_queries
from foundation.arrays import Floats
from foundation.contracts import PRIOR_CURVE, ClickCurve
from foundation.database.engine import REQUEST_LOCK_TIMEOUT_S
from foundation.errors import NotFound, needs_extra
from foundation.processes.processors import at_once
from foundation.settings import Settings
from foundation.telemetry.exposition import render_metrics
from foundation.web.cross_site import PAGE_PATHS, Welcome, is_loopback
from foundation.web.middleware import Edge, install_edge
from foundation.web.routes.paths import PathMap
from retrainer.autopilot.outlook import Outlooks
from retrainer.autopilot.plans import alpha_of
from retrainer.data.threshold import read_threshold
from retrainer.diagnosis.reads import Diagnoser
from retrainer.gold.sample import POOL_DEPTH, PooledDocument
from retrainer.gold.store import GoldSet
from serving.admission import Admission, SearchGate
from serving.answers import Answers
from serving.impressions import ImpressionLog
from serving.live.loader import Loader
from serving.order.reorderer import Reorderer
from serving.personal.tastes import Tastes, read_lists
from serving.records import SearchRequest
from serving.search import Searcher
from serving.suggest import Suggester


def make_app(settings: Settings) -> FastAPI:
    """Return the service, which answers requests; `clickloop.server.background` collects and retrains."""
    container = Container(settings, lock_timeout_s=REQUEST_LOCK_TIMEOUT_S)
    assignments = Assignments(container.engine, container.clock)
    loader = container.make_loader(assignments)
    watch = LagWatch(lambda: container.log.subscribe(CONSUMER))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loader.start()
        watch.start()
        yield
        watch.stop()
        loader.stop()
        end_tracing()
        container.log.close()
        container.engine.dispose()

    app = FastAPI(
        title="clickloop",
        version=version("clickloop"),
        description="Search that learns from its clicks.",
        lifespan=lifespan,
    )
    admission = Admission(at_once(settings.workers), settings.max_queue_wait_ms / 1000)
    install_edge(app, _edge(container, admission))
    end_tracing = _trace(app, settings.otlp_url)
    routers = (
        *_search(container, loader, assignments, admission),
        *_feedback(container, loader, assignments),
        *_learning(container, loader, assignments),
    )
    for router in routers:
        app.include_router(router)
    alarm = DeadLetterAlarm(container.engine, container.clock)
    sources: list[ProblemSource] = [loader, DatabaseSource(container.engine), container.log, watch, alarm]
    _add_probes(app, Readiness(loader.state, lambda: loader.ready, sources))
    return app


def _edge(container: Container, admission: Admission) -> Edge:
    settings = container.settings
    return Edge(
        settings.max_body_bytes,
        origins=settings.origins(),
        open_paths=PAGE_PATHS,
        welcome=_welcome(settings),
        keys=container.keys if settings.require_keys else None,
        refusals=PathMap([*collector.intake.compatible_http.REFUSALS, *serving.http.compatible.algolia.REFUSALS]),
        gates=[Middleware(SearchGate, admission=admission)],
    )


def _welcome(settings: Settings) -> Welcome:
    beyond = not is_loopback(settings.host)
    listening = {f"{settings.host.lower()}:{settings.port}"} if beyond else set()
    return Welcome(frozenset({*settings.hosts(), *listening}), beyond, frozenset(settings.origins()))


def _search(
    container: Container, loader: Loader, assignments: Assignments, admission: Admission
) -> Iterator[APIRouter]:
    settings, engine = container.settings, container.engine
    answers = Answers(
        assignments=assignments,
        impressions=ImpressionLog(container.log),
        admission=admission,
        clock=container.clock,
        privacy=container.privacy,
        query_ids=container.query_ids,
        tell_queries=settings.log_queries,
    )
    tastes = Tastes(partial(read_lists, engine), container.clock)
    searcher = Searcher(loader=loader, answers=answers, tastes=tastes)
    gold = GoldSet(engine, container.clock)
    yield retrainer.gold.http.make_router(gold, partial(_asked, container), partial(_pool, searcher))
    yield serving.http.search.make_router(searcher, settings.budget_ms)
    reorderer = Reorderer(loader=loader, answers=answers)
    yield serving.http.rank.make_router(reorderer, settings.budget_ms)
    yield serving.http.compatible.algolia.make_router(searcher, settings.budget_ms)
    yield serving.http.compatible.metarank.make_router(reorderer, settings.budget_ms)
    yield serving.browser.http.make_router()
    yield serving.http.context.make_router(searcher, settings.budget_ms)
    yield serving.http.assignments.make_router(assignments, container.privacy)
    yield serving.http.suggest.make_router(_suggester(container))
    yield serving.http.documents.make_router(container.catalog, settings, loader.note_change)
    yield serving.http.collections.make_router(
        container.catalog, container.declarations, container.revisions, loader.note_change
    )
    yield serving.http.index.make_router(container.catalog, loader, container.builds, container.snapshots)
    yield serving.http.fields.make_router(container.declarations, container.content.describe_fields)
    yield serving.http.relevance.make_router(container.revisions, container.content.types_of, loader.note_settings)


def _feedback(container: Container, loader: Loader, assignments: Assignments) -> Iterator[APIRouter]:
    log, clock, settings = container.log, container.clock, container.settings
    engine, privacy = container.engine, container.privacy
    policy = IntakePolicy(container.query_ids, settings, assignments.events)
    eraser = Eraser(engine, log, privacy.pseudonyms, settings, clock)
    intake = IntakePipeline(log, clock, settings, partial(_merge_items, container, loader), policy, privacy)
    yield collector.intake.http.make_router(intake)
    yield ab_testing.exposures.http.make_router(intake, assignments)
    yield collector.checks.http.make_router(engine, settings.lateness_days, policy.refused_unset)
    yield collector.intake.compatible_http.make_router(intake)
    yield collector.browser.http.make_router()
    yield collector.privacy.http.make_router(eraser)
    yield collector.quarantine.http.make_router(container.quarantine, privacy, container.query_ids)
    yield collector.reports.http.make_router(engine, clock, settings)
    yield collector.reports.propensity_http.make_router(
        engine, settings.lists_per_user, partial(_curve_in_use, container)
    )


def _learning(container: Container, loader: Loader, assignments: Assignments) -> Iterator[APIRouter]:
    registry, engine, clock = container.registry, container.engine, container.clock
    runs, experiments, hotswap = container.runs, container.experiments, container.make_hotswap(loader.move)
    collections, erasure_retraining = container.catalog.collections, container.erasure_retraining
    yearly = false_promotions_a_year(
        alpha_of(container.settings),
        experiments_a_year(container.settings.schedule_hours, container.settings.encoder_schedule_hours),
    )
    yield ab_testing.http.make_router(experiments, partial(_find_version, container), yearly)
    yield ab_testing.own_metrics.http.make_router(OwnMetrics(engine, clock), assignments.refresh)
    yield ab_testing.planning.http.make_router(container.planner)
    yield ab_testing.report_http.make_router(experiments, console.http.make_pages().show_report)
    yield ab_testing.webhooks.http.make_router(engine)
    yield foundation.web.http.make_router(engine)
    yield retrainer.http.make_router(
        registry, runs, hotswap, container.baseline, collections, erasure_retraining, clock
    )
    yield retrainer.diagnosis.http.make_router(_make_diagnoser(container))
    yield retrainer.data.http.make_router(engine, clock)
    pauses = container.pauses
    outlooks = Outlooks(
        *(runs, pauses, container.make_timetables()),
        lambda collection: read_threshold(engine, collection, clock.now()),
        automatic=container.settings.autopilot,
    )
    yield retrainer.autopilot.http.make_router(outlooks, pauses)
    yield console.http.make_router(
        registry, runs, hotswap, experiments, loader.state, engine, clock, false_promotions_a_year=yearly
    )


def _asked(container: Container, collection: str) -> list[tuple[str, int]]:
    """Return the queries that enough people asked in the last four weeks, with their searches."""
    since, min_users = container.clock.now() - timedelta(weeks=4), container.settings.suggest_min_users
    report = report_queries(container.engine, collection, "volume", since, min_users, 0, MAX_SEARCHES)
    return [(one.query, one.searches) for one in report.queries]


def _suggester(container: Container) -> Suggester:
    settings, content, declarations = container.settings, container.content, container.declarations
    suggester = partial(Suggester, container.engine, container.clock, settings.suggest_min_users)
    if not settings.suggest_documents:
        return suggester()
    return suggester(corpus_of=content.corpus_of, fields_of=lambda name: list(declarations.of(name)))


def _pool(searcher: Searcher, collection: str, query: str) -> list[PooledDocument]:
    reply = searcher.search(collection, SearchRequest(query, limit=POOL_DEPTH, log=False))
    return [
        PooledDocument(
            shown.document.id,
            shown.document.title,
            shown.document.url,
            shown.snippet,
            shown.hit.score,
            shown.hit.parts.get("bm25", 0.0),
            shown.hit.parts.get("dense", 0.0),
        )
        for shown in reply.hits
    ]


def _make_diagnoser(container: Container) -> Diagnoser:
    return Diagnoser(
        *(container.engine, container.registry, container.experiments, container.clock),
        encode=partial(_embed_queries, container),
        half_life_days=container.settings.evidence_half_life_days,
    )


def _embed_queries(container: Container, queries: list[str]) -> Floats:
    return container.embedder.embed_queries(queries)  # the encoder is opened when the first diagnosis asks for it


def _curve_in_use(container: Container, collection: str) -> ClickCurve:
    champion = container.registry.champion(collection)
    return container.registry.get(collection, champion).manifest.curve if champion else PRIOR_CURVE


def _trace(app: FastAPI, url: str) -> Callable[[], None]:
    """Trace requests if there is a URL, and return what ends it; MissingExtra when that is not installed."""
    if not url:
        return lambda: None
    with needs_extra("otel", "CLICKLOOP_OTLP_URL"):
        from foundation.telemetry.tracing import install_tracing  # noqa: PLC0415  needs OpenTelemetry, which only the extra `otel` installs
    return install_tracing(app, url)


def _find_version(container: Container, collection: str, wanted: str) -> str | None:
    try:
        return container.registry.get(collection, wanted).id
    except NotFound:
        return wanted if wanted == container.baseline.id else None  # it is registered with the first move


def _merge_items(
    container: Container, loader: Loader, collection: str, items: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, str]:
    statuses = container.catalog.merge(collection, items)
    loader.note_change(collection, [])
    return statuses


def _add_probes(app: FastAPI, readiness: Readiness) -> None:
    @app.get("/healthz", tags=["operations"])
    async def health() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"])
    async def ready() -> dict[str, Any]:
        """Tell what this replica serves; 503 until every collection there was at its start has a whole version.

        `degraded` is a replica that answers, though something is amiss: `problems` says what, in sentences.
        """
        return readiness.tell()

    @app.get("/metrics", tags=["operations"], response_class=Response)
    def metrics() -> Response:
        """Give the metrics of all processes of this server in Prometheus' text form."""
        return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)
