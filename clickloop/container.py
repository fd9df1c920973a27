"""Every part of clickloop, made once and handed what it needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import sqlalchemy as sa

from ab_testing.api import Assignments, DecisionOutbox, EvidencePins, Experiments, Planner, WebhookSender
from clickloop.encoder_forms import find_encoder_form
from collector.dead_letters.store import resend_of_other_releases
from collector.join.consumer import Consumer
from collector.privacy.erasure import sweep
from collector.privacy.retention import Retention
from collector.quarantine.quarantine import Quarantine
from foundation.access.keys import Keys
from foundation.clock import Clock, make_clock
from foundation.contracts import Manifest
from foundation.database import schema
from foundation.database.engine import LOCK_TIMEOUT_S, make_engine
from foundation.database.leases import Leases
from foundation.disk.claims import name_process
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import EventLog
from foundation.privacy.privacy import Privacy, open_privacy
from foundation.privacy.secrets import secret
from foundation.privacy.signing import QueryIds
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry
from foundation.settings import Settings
from foundation.telemetry.logs import configure_logs
from retrainer.autopilot.autopilot import Autopilot
from retrainer.autopilot.pauses import Pauses
from retrainer.hotswap import HotSwap, Moved
from retrainer.runs import Runs
from retrainer.schedule import Schedule, make_timetables
from retrainer.timetable import ErasureRetraining, Timetable
from retrainer.workers import Workers
from serving.catalog.declarations import Declarations
from serving.catalog.store import Catalog
from serving.encode.embedder import StoredEmbedder
from serving.encode.encoder import Encoder
from serving.encode.encoders import Encoders
from serving.encode.form import open_encoder
from serving.index.builds import Builds
from serving.index.lexical.analysis import PLAIN, Analysis
from serving.index.lexical.synonyms import Synonyms, read_synonyms
from serving.index.snapshot import IndexSnapshot
from serving.index.snapshot_store import SnapshotStore
from serving.live.content import Content
from serving.live.loader import Loader
from serving.live.spaces import Spaces
from serving.rules.loading import LoadedRelevance
from serving.rules.store import RelevanceRevisions

CONSUMER = "collector"
_CHECKPOINT_MIB = 64


class Container:
    """Every part of clickloop, made when first asked for.

    Args:
        page_cache_mib: Memory for pages of SQLite, of each connection.
        lock_timeout_s: Longest wait for a database that others write.
    """

    def __init__(self, settings: Settings, page_cache_mib: int = 2, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        configure_logs(settings.log_level)
        self.settings = settings
        self._page_cache_mib = page_cache_mib
        self._lock_timeout_s = lock_timeout_s
        self.name = name_process()

    @cached_property
    def clock(self) -> Clock:
        """The one clock."""
        return make_clock(self.settings.clock_speed, self.settings.clock_origin)

    @cached_property
    def engine(self) -> sa.Engine:
        """The database at this release's schema; SchemaOutdated when the policy is to refuse."""
        url = self.settings.resolved_database_url()
        engine = make_engine(url, _CHECKPOINT_MIB, self._page_cache_mib, self._lock_timeout_s)
        schema.prepare(engine, self.settings.migrate)
        return engine

    @cached_property
    def privacy(self) -> Privacy:
        """What is kept of people; makes the key of the pseudonyms the first time."""
        return open_privacy(self.settings.home, self.settings)

    @cached_property
    def log(self) -> EventLog:
        """The event log: Kafka where it is set up, else the embedded one."""
        if self.settings.kafka_bootstrap:
            from foundation.eventlog.kafka.log import KafkaLog  # noqa: PLC0415  needs kafka-python, which only its extra installs

            return KafkaLog(self.engine, self.settings.kafka_bootstrap)
        return EmbeddedLog(self.engine, records=self._records_engine)

    @cached_property
    def _records_engine(self) -> sa.Engine:
        """Where the embedded log keeps its records: beside SQLite's file, inside PostgreSQL."""
        url = self.settings.resolved_log_url()
        if not url:
            return self.engine
        records = make_engine(url, lock_timeout_s=self._lock_timeout_s, name="event log")
        schema.prepare(records, self.settings.migrate)
        return records

    @cached_property
    def keys(self) -> Keys:
        """The API keys."""
        return Keys(self.engine, self.clock)

    @cached_property
    def query_ids(self) -> QueryIds:
        """The query ids of this installation."""
        return QueryIds(self.settings.signing_key.encode() or secret(Path(self.settings.home), "signing"))

    @cached_property
    def quarantine(self) -> Quarantine:
        """The users who are held."""
        return Quarantine(self.engine, self.settings, self.clock)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder; its exported form is found or made the first time, which takes some 20 s."""
        settings = self.settings
        folder = Path(settings.home) / "onnx"
        find = partial(find_encoder_form, self.registry)
        return open_encoder(settings.model, folder, settings.encoder_precision, settings.encoder_threads, find)

    @cached_property
    def registry(self) -> Registry:
        """Versions and their artifacts."""
        return Registry(self.engine, ArtifactStore(self.settings.resolved_artifacts_url()))

    @cached_property
    def catalog(self) -> Catalog:
        """The documents."""
        return Catalog(self.engine, self.clock)

    @cached_property
    def snapshots(self) -> SnapshotStore:
        """The sealed indexes on this machine's disk."""
        settings = self.settings
        analysis = Analysis(
            language=settings.language,
            typo_weight=PLAIN.typo_weight if settings.typo_tolerance else 0.0,
            synonyms=read_synonyms(settings.synonyms) if settings.synonyms else Synonyms(),
        )
        return SnapshotStore(Path(settings.home), self.embedder, analysis, self.name)

    @cached_property
    def builds(self) -> Builds:
        """The builds of snapshots that this process starts."""
        return Builds(self.snapshots, self.settings)

    @cached_property
    def content(self) -> Content:
        """Documents and evidence in memory."""
        return Content(
            engine=self.engine,
            catalog=self.catalog,
            declarations=self.declarations,
            relevance=LoadedRelevance(self.revisions),
            spaces=Spaces(self.encoders, self.snapshots, self.builds),
            settings=self.settings,
            clock=self.clock,
        )

    @cached_property
    def embedder(self) -> StoredEmbedder:
        """The encoder with its memory of what was embedded before."""
        return StoredEmbedder(self.encoder, Path(self.settings.home), late=self.settings.late_interaction)

    @cached_property
    def encoders(self) -> Encoders:
        """The encoder of the settings, and those that versions bring."""
        settings = self.settings
        return Encoders(
            self.embedder, Path(settings.home), threads=settings.encoder_threads, late=settings.late_interaction
        )

    @cached_property
    def declarations(self) -> Declarations:
        """The declared types of fields."""
        return Declarations(self.engine, self.clock)

    @cached_property
    def revisions(self) -> RelevanceRevisions:
        """The owner's relevance settings."""
        return RelevanceRevisions(self.engine, self.clock)

    @cached_property
    def pins(self) -> EvidencePins:
        """The evidence that experiments pin."""
        half_life_days = self.settings.evidence_half_life_days
        return EvidencePins(self.engine, self.registry.artifacts, self.clock, half_life_days)

    @cached_property
    def experiments(self) -> Experiments:
        """The experiments."""
        return Experiments(
            self.engine,
            self.clock,
            champion=lambda collection: self.registry.champion(collection) or self.baseline.id,
            pins=self.pins,
            lateness_days=self.settings.lateness_days,
            outbox=DecisionOutbox(self.settings),
        )

    @cached_property
    def planner(self) -> Planner:
        """What tells how large an experiment must be."""
        return Planner(self.engine, self.clock)

    @cached_property
    def runs(self) -> Runs:
        """The training runs."""
        return Runs(self.engine, self.clock)

    @cached_property
    def pauses(self) -> Pauses:
        """Where the autopilot holds still."""
        return Pauses(self.engine, self.clock)

    @cached_property
    def erasure_retraining(self) -> ErasureRetraining:
        """What is to be forgotten by training."""
        return ErasureRetraining(self.engine)

    @cached_property
    def hotswap(self) -> HotSwap:
        """The champion pointer, where this process serves no replica."""
        return self.make_hotswap()

    def make_hotswap(self, moved: Moved = lambda _collection, _version: None) -> HotSwap:
        """Return the champion pointer of a process whose replica is to hear of every move at once."""
        return HotSwap(
            *(self.engine, self.registry, self.clock, self.settings.lease_duration(), moved),
            end_experiments=self.experiments.end_for,
        )

    @property
    def baseline(self) -> Manifest:
        """The untuned version that serves before anything is learned."""
        return Manifest(encoder=self.encoder.digest, fusion=self.settings.fusion)

    @cached_property
    def leases(self) -> Leases:
        """The leases that this process may hold."""
        return Leases(self.engine, self.clock, self.name)

    def make_workers(self) -> Workers:
        """Return what starts training processes."""
        return Workers(
            self.runs,
            self.leases,
            lease_duration=self.settings.lease_duration(),
            environment=self.settings.to_environment(),
        )

    def make_loader(self, assignments: Assignments) -> Loader:
        """Return a loader for this process."""
        return Loader(
            engine=self.engine,
            content=self.content,
            registry=self.registry,
            assignments=assignments,
            load_pin=self.pins.load,
            settings=self.settings,
            clock=self.clock,
            replica=self.name,
        )

    def make_consumer(self) -> Consumer:
        """Return the collector's consumer of the event log."""
        return Consumer(self.engine, self.log.subscribe(CONSUMER), self.settings, self.clock, self._reviews())

    def _reviews(self) -> list[Callable[[], object]]:
        """Return what the collector does about once a minute between its batches."""
        reviews: list[Callable[[], object]] = [
            partial(resend_of_other_releases, self.engine, self.log),
            lambda: sweep(self.engine, self.clock.now()),
        ]
        return [*reviews, self.quarantine.review_all] if self.settings.quarantine else reviews

    def make_retention(self) -> Retention:
        """Return what removes old feedback."""
        return Retention(self.engine, self.settings, self.clock, self.leases)

    def make_webhook_sender(self) -> WebhookSender:
        """Return what tells other services of decisions."""
        return WebhookSender(self.engine, self.clock, self.settings, self.leases)

    def make_schedule(self, workers: Workers) -> Schedule:
        """Return the retrainer's schedule."""
        autopilot = Autopilot(
            runs=self.runs,
            registry=self.registry,
            experiments=self.experiments,
            planner=self.planner,
            hotswap=self.hotswap,
            pauses=self.pauses,
            settings=self.settings,
            clock=self.clock,
            train=workers.train,
        )
        return Schedule(
            *(autopilot, self.runs, self.experiments, self.leases, self.make_timetables(), self.erasure_retraining),
            lease_duration=self.settings.lease_duration(),
            automatic=self.settings.autopilot,
        )

    def make_timetables(self) -> list[Timetable]:
        """Return when collections train on schedule; none does while it is paused."""
        return make_timetables(self.engine, self.clock, self.settings, self._unpaused)

    def _unpaused(self) -> list[str]:
        paused = self.pauses.all()
        return [collection for collection in self.catalog.collections() if collection not in paused]

    def build(self, collection: str, encoder: str = "", form: str = "") -> IndexSnapshot:
        """Build an index snapshot of everything the catalog holds; blocks.

        Args:
            encoder: Name of the encoder that a version brings; that of the settings when empty.
            form: Digest of that encoder's form.

        Raises:
            Conflict: Another process is building this collection.
        """
        snapshots = self.snapshots
        if encoder:
            embedder = self.encoders.open(encoder, partial(self.registry.artifacts.get, form))
            snapshots = snapshots.under(embedder, form)
        return snapshots.build(
            collection,
            lambda after, limit: self.catalog.changes(collection, after, limit),
            lambda: self.catalog.latest_change(collection),
        )
