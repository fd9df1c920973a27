"""The composition root: makes every part, hands each what it needs, and joins them to one service."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import ab_testing.routes
import collector.client_script
import collector.routes
import console.routes
import retrainer.routes
import serving.documents
import serving.routes
from ab_testing.api import Assignments, Experiments
from collector.consumer import Consumer
from collector.labels import label
from foundation import schema
from foundation.clock import Clock, make_clock
from foundation.contracts import Manifest
from foundation.db import make_engine
from foundation.errors import NotReady
from foundation.eventlog import EmbeddedLog, EventLog
from foundation.extras import needs_extra
from foundation.leases import Leases
from foundation.origins import allow_origins
from foundation.registry import ArtifactStore, Registry, Version
from foundation.settings import Settings
from foundation.telemetry import METRICS, configure_logs
from foundation.web import install_edge
from retrainer.autopilot import Autopilot
from retrainer.dataset import Dataset, freeze_dataset
from retrainer.hotswap import HotSwap
from retrainer.runs import Runs
from retrainer.schedule import Schedule
from retrainer.worker import Workers
from serving.catalog import Catalog
from serving.engine.corpus import Corpus
from serving.engine.encoder import Encoder, open_encoder
from serving.engine.vectors import VectorStore
from serving.impressions import ImpressionLog
from serving.loader import Loader
from serving.search import Searcher

if TYPE_CHECKING:
    from retrainer.candidate import Workshop

Role = Literal["all", "api"]
CONSUMER = "collector"
_TRAIN_CHANGES_AT_ONCE = 512
_FROM_BROWSERS = ("/v1/search", "/v1/events")


class Parts:
    """Every part of clickloop, made when first asked for.

    Args:
        settings: What the operator set.
    """

    def __init__(self, settings: Settings) -> None:
        configure_logs(settings.log_level)
        self.settings = settings
        self.name = f"{socket.gethostname()}-{os.getpid()}"

    @cached_property
    def clock(self) -> Clock:
        """The one clock."""
        return make_clock(self.settings.clock_speed, self.settings.clock_origin)

    @cached_property
    def engine(self) -> sa.Engine:
        """The database at this release's schema; SchemaOutdated when the policy is to refuse."""
        engine = make_engine(self.settings.resolved_database_url())
        schema.prepare(engine, self.settings.migrate)
        return engine

    @cached_property
    def log(self) -> EventLog:
        """The event log: Kafka where it is set up, else the embedded one."""
        if self.settings.kafka_bootstrap:
            from foundation.kafka import KafkaLog  # noqa: PLC0415  the client warns on import and is seldom needed

            return KafkaLog(self.engine, self.settings.kafka_bootstrap)
        return EmbeddedLog(self.engine, records=self._records_engine)

    @cached_property
    def _records_engine(self) -> sa.Engine:
        """Where the embedded log keeps its records: beside SQLite's file, inside PostgreSQL."""
        url = self.settings.resolved_log_url()
        if not url:
            return self.engine
        records = make_engine(url)
        schema.prepare(records, self.settings.migrate)
        return records

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder; made into ONNX the first time, which takes some 20 s."""
        settings = self.settings
        folder = Path(settings.home) / "onnx"
        return open_encoder(settings.model, folder, settings.encoder_precision, settings.encoder_threads)

    @cached_property
    def registry(self) -> Registry:
        """Versions and their artifacts."""
        return Registry(self.engine, ArtifactStore(self.settings.resolved_artifacts_url()))

    @cached_property
    def catalog(self) -> Catalog:
        """The documents."""
        return Catalog(self.engine, self.clock)

    @cached_property
    def experiments(self) -> Experiments:
        """The experiments."""
        return Experiments(self.engine, self.clock)

    @cached_property
    def runs(self) -> Runs:
        """The training runs."""
        return Runs(self.engine, self.clock)

    @cached_property
    def hotswap(self) -> HotSwap:
        """The champion pointer."""
        return HotSwap(self.engine, self.registry, self.clock, self.settings.lease_duration())

    @property
    def baseline(self) -> Manifest:
        """The untuned version that serves before anything is learned."""
        return Manifest(encoder=self.encoder.digest, fusion=self.settings.fusion)

    def make_loader(self, assignments: Assignments) -> Loader:
        """Return a loader for this process."""
        return Loader(
            self.engine,
            self.catalog,
            self.registry,
            assignments,
            self.encoder,
            self.settings,
            self.clock,
            self.name,
        )

    def make_consumer(self) -> Consumer:
        """Return the collector's consumer of the event log."""
        return Consumer(self.engine, self.log.subscribe(CONSUMER), self.settings, self.clock)

    def make_schedule(self, workers: Workers) -> Schedule:
        """Return the retrainer's schedule."""
        autopilot = Autopilot(self.runs, self.registry, self.experiments, self.hotswap, self.settings, workers.train)
        return Schedule(
            autopilot,
            self.runs,
            self.experiments,
            Leases(self.engine, self.clock, self.name),
            self.settings,
            self.catalog.collections,
        )

    def train(self, collection: str, run_id: str, progress: Callable[[str], None]) -> Version:
        """Train a candidate on the evidence as it stands, gate it and register it; blocks.

        Raises:
            Conflict: There is too little evidence.
            MissingExtra: MLflow is to be told, and is not installed.
        """
        from retrainer.candidate import train_candidate  # noqa: PLC0415  brings torch, which serving needs not

        record = _make_tracker(self.settings.mlflow_url)
        version = train_candidate(*self.prepare_training(collection, progress), run_id)
        record(version)
        return version

    def prepare_training(self, collection: str, progress: Callable[[str], None]) -> tuple[Workshop, Dataset, Version]:
        """Return what a training needs: its surroundings, the frozen evidence, and the champion to beat.

        Raises:
            Conflict: There is too little evidence.
        """
        from retrainer.candidate import Workshop  # noqa: PLC0415  as above

        settings = self.settings
        vectors = VectorStore(Path(settings.home) / "vectors" / self.encoder.digest, self.encoder.dimension)

        def embed(texts: list[str]) -> Any:
            return vectors.embed(texts, self.encoder.encode)

        champion = self.registry.get(collection, self.hotswap.install(collection, self.baseline))
        corpus = Corpus(self.encoder.dimension)
        while changes := self.catalog.changes(collection, corpus.change, _TRAIN_CHANGES_AT_ONCE):
            corpus.apply(changes, embed)
        dataset = freeze_dataset(self.engine, collection, self.clock.now(), settings.evidence_half_life_days, embed)
        return Workshop(self.registry, corpus, embed, label, self.clock, settings.seed, progress), dataset, champion


@dataclass(slots=True)
class _Background:
    """What runs beside the requests of one process."""

    loader: Loader
    consumer: threading.Thread | None
    stop: threading.Event
    schedule: Schedule | None
    workers: Workers

    def start(self) -> None:
        self.loader.start()
        if self.consumer:
            self.consumer.start()
        if self.schedule:
            self.schedule.start()

    def close(self) -> None:
        self.stop.set()
        if self.schedule:
            self.schedule.stop()
        self.workers.stop()
        if self.consumer:
            self.consumer.join()
        self.loader.stop()


def make_app(settings: Settings, role: Role = "all") -> FastAPI:
    """Return the service.

    Args:
        settings: What the operator set.
        role: "all" also collects and retrains in this process; "api" only answers requests.
    """
    parts = Parts(settings)
    assignments = Assignments(parts.engine)
    loader = parts.make_loader(assignments)
    parts.hotswap.moved = loader.move
    background = _make_background(parts, loader, role)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background.start()
        yield
        background.close()
        end_tracing()
        parts.log.close()
        parts.engine.dispose()

    app = FastAPI(
        title="clickloop",
        version=version("clickloop"),
        description="Search that learns from its clicks.",
        lifespan=lifespan,
    )
    install_edge(app, settings.max_body_bytes)
    allow_origins(app, settings.origins(), _FROM_BROWSERS)
    end_tracing = _trace(app, settings.otlp_url)
    searcher = Searcher(loader, assignments, ImpressionLog(parts.log), parts.clock)
    app.include_router(serving.routes.make_router(searcher))
    app.include_router(serving.documents.make_router(parts.catalog, settings))
    app.include_router(collector.routes.make_router(parts.log, parts.clock, settings, parts.engine))
    app.include_router(collector.client_script.make_router())
    app.include_router(ab_testing.routes.make_router(parts.experiments, _version_exists(parts)))
    app.include_router(
        retrainer.routes.make_router(
            parts.registry, parts.runs, parts.hotswap, parts.baseline, parts.catalog.collections
        )
    )
    app.include_router(
        console.routes.make_router(
            parts.registry, parts.runs, parts.hotswap, parts.experiments, loader.state, parts.engine, parts.clock
        )
    )
    _add_probes(app, loader)
    return app


def _make_tracker(url: str) -> Callable[[Version], None]:
    """Return what tells MLflow of a candidate, nobody without a URL; MissingExtra when it is not installed."""
    if not url:
        return lambda _: None
    with needs_extra("mlflow", "CLICKLOOP_MLFLOW_URL"):
        from retrainer.tracking import Tracker  # noqa: PLC0415  imports MLflow, which only its extra installs
    return Tracker(url).record


def _trace(app: FastAPI, url: str) -> Callable[[], None]:
    """Trace requests if there is a URL, and return what ends it; MissingExtra when that is not installed."""
    if not url:
        return lambda: None
    with needs_extra("otel", "CLICKLOOP_OTLP_URL"):
        from foundation.tracing import install_tracing  # noqa: PLC0415  imports OpenTelemetry, as above
    return install_tracing(app, url)


def _make_background(parts: Parts, loader: Loader, role: Role) -> _Background:
    stop = threading.Event()
    workers = Workers(parts.settings)
    if role == "api":
        return _Background(loader, None, stop, None, workers)
    consumer = threading.Thread(target=parts.make_consumer().run, args=(stop,), name="consumer", daemon=True)
    return _Background(loader, consumer, stop, parts.make_schedule(workers), workers)


def _version_exists(parts: Parts) -> Callable[[str, str], bool]:
    def exists(collection: str, wanted: str) -> bool:
        return wanted == parts.baseline.id or any(one.id == wanted for one in parts.registry.list(collection, 1000))

    return exists


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
        """Give the metrics in Prometheus' text form."""
        return Response(generate_latest(METRICS), media_type=CONTENT_TYPE_LATEST)
