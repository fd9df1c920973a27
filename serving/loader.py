"""Keeps what is served up to date: documents, evidence and versions, without stopping a request.

Two threads follow the database. One brings documents and evidence into memory (`serving.content`);
the other loads versions beside those that serve, warms and verifies them, and swaps one reference.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa

from ab_testing.api import Assignments
from foundation.clock import Clock, monotonic_s
from foundation.contracts import Manifest
from foundation.db import transaction, upsert
from foundation.errors import ClickloopError, NotFound, NotReady, StoreAway
from foundation.registry import Registry
from foundation.settings import Settings
from foundation.tables import replicas
from foundation.telemetry import SWAPS, get_log
from serving.collection import Served
from serving.content import Content
from serving.engine.encoder import Encoder
from serving.engine.features import Query
from serving.engine.model import RankingModel, load_model
from serving.engine.pipeline import Ranker

_KEPT_VERSIONS = 4
_REPORT_EVERY_S = 5.0
_PATIENCE_AT_START_S = 20.0
_PATIENCE_S = 1.0
_log = get_log("loader")


class Loader:
    """The collections of one replica.

    Args:
        content: Its documents and evidence.
        replica: Name of this process in the table of replicas.
    """

    def __init__(
        self,
        engine: sa.Engine,
        content: Content,
        registry: Registry,
        assignments: Assignments,
        settings: Settings,
        clock: Clock,
        replica: str,
    ) -> None:
        self._engine = engine
        self._content = content
        self._registry = registry
        self._assignments = assignments
        self.embedder = content.embedder
        self.encoder = content.embedder.encoder
        self._settings = settings
        self._clock = clock
        self._replica = replica
        self._served = self._content.served
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._appeared = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pointing = threading.Lock()
        self._moves = 0
        self._report_at_s = 0.0
        self.ready = False

    def collection(self, name: str) -> Served:
        """Return a collection that serves.

        Raises:
            NotFound: It has no documents.
            NotReady: Its documents are still being read.
        """
        served = self._served.get(name)
        if served is None and name not in self._content.names():
            raise NotFound(f"collection {name!r} has no documents; send some with PUT /v1/documents")
        if served is None or not served.champion:
            raise NotReady(f"collection {name!r} is being loaded; ask again in a second")
        return served

    def state(self) -> dict[str, dict[str, str | int]]:
        """Return what this replica serves, for people and probes; asks no store, so that it never waits."""
        return {
            name: {
                "version": served.champion,
                "problem": served.problem,
                "documents": len(served.corpus),
                "behind": self._content.behind(name),
                "waiting": served.corpus.waiting,
                "generation": served.corpus.generation.id if served.corpus.generation else "",
            }
            for name, served in sorted(self._served.items())
        }

    def problems(self) -> list[str]:
        """Return what keeps this replica from serving what it should, as sentences."""
        return [
            f"collection {name}: {served.problem}" for name, served in sorted(self._served.items()) if served.problem
        ]

    def start(self) -> None:
        """Bring everything up to date once, then keep following in two threads.

        New texts are embedded for some seconds; those that still wait are found by their words.
        """
        self.follow_content(_PATIENCE_AT_START_S)
        self.follow_versions()
        self.ready = True
        for follow in (self._repeat_content, self._repeat_versions):
            thread = threading.Thread(target=follow, name=follow.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop following, wait for both threads, and end the builds under way."""
        self.ready = False
        self._stop.set()
        self._changed.set()
        self._appeared.set()
        for thread in self._threads:
            thread.join()
        self._content.close()
        self._sign_off()

    def note_change(self, collection: str, deleted: list[str]) -> None:
        """Follow a change of the catalog made in this process at once; deleted documents vanish now. Never blocks."""
        self._content.hide(collection, deleted)
        self._changed.set()

    def follow_content(self, patience_s: float = _PATIENCE_S) -> bool:
        """Take in new documents and evidence of every collection; see `Content.follow`."""
        return self._content.follow(patience_s)

    def follow_versions(self) -> None:
        """Load the versions that should serve and swap to the champions among them."""
        self._assignments.refresh()
        moves = self._moves
        champions = self._registry.champions()
        for name, served in list(self._served.items()):
            self._follow_champion(name, served, champions.get(name, self.baseline().id), moves)
            for version in self._assignments.versions(name) - served.rankers.keys() - served.broken.keys():
                self._load(name, served, version)
            self._forget(served, {served.champion} | self._assignments.versions(name))
        self._report()

    def move(self, collection: str, version: str) -> None:
        """Swap to a version at once if it is loaded; else the follower loads it in its time. Never blocks.

        For moves of the pointer made in this process, just after their transaction.
        """
        with self._pointing:
            self._moves += 1
            served = self._served.get(collection)
            if served is None or version not in served.rankers or version == served.champion:
                return
            self._point(collection, served, version)

    def baseline(self) -> Manifest:
        """Return the untuned version that serves before any promotion."""
        return Manifest(encoder=self.encoder.digest, fusion=self._settings.fusion)

    def _repeat_content(self) -> None:
        while not self._stop.is_set():
            self._changed.wait(self._settings.refresh_s)
            self._changed.clear()
            while self._try(self.follow_content) and not self._stop.is_set():
                pass
            if not all(served.champion for served in self._served.values()):
                self._appeared.set()

    def _repeat_versions(self) -> None:
        while not self._stop.is_set():
            self._appeared.wait(self._settings.refresh_s)
            self._appeared.clear()
            self._try(self.follow_versions)

    def _try(self, follow: Callable[[], bool | None]) -> bool | None:
        try:
            return follow()
        except StoreAway:
            return None  # told once by the store itself; what is loaded serves on
        except Exception:  # noqa: BLE001  a follower outlives whatever breaks in it; what is loaded serves on
            _log.exception("follower_failed", follower=follow.__name__)
            return None

    def _follow_champion(self, name: str, served: Served, wanted: str, moves: int) -> None:
        """Serve `wanted`, which the registry named when `moves` moves had been made in this process."""
        if wanted == served.champion and not served.problem:
            return
        if wanted not in served.rankers and wanted not in served.broken:
            self._load(name, served, wanted)
        with self._pointing:
            if moves != self._moves:
                return  # the pointer moved meanwhile: what was read is old
            if wanted not in served.broken:
                self._point(name, served, wanted)
                return
        self._tell_problem(served, f"version {wanted} does not load: {served.broken[wanted]}")
        if not served.champion:
            self._load(name, served, self.baseline().id)
            if self.baseline().id in served.rankers:
                self._point(name, served, self.baseline().id, served.problem)

    def _point(self, name: str, served: Served, version: str, problem: str = "") -> None:
        """Swap one reference, and say so."""
        swapped = version != served.champion
        served.point(version)
        self._tell_problem(served, problem)
        if swapped:
            self._report_at_s = 0.0
            SWAPS.labels(name, "swapped").inc()
            _log.info("swapped", collection=name, version=version)

    def _tell_problem(self, served: Served, problem: str) -> None:
        if problem != served.problem:
            served.problem = problem
            self._report_at_s = 0.0

    def _load(self, name: str, served: Served, version: str) -> None:
        try:
            model = self._read_model(name, version)
            _verify(served.rank_by(model), self.encoder)
        except Exception as problem:  # noqa: BLE001  whatever a version breaks on, the one that serves goes on
            served.broken[version] = str(problem) or repr(problem)
            SWAPS.labels(name, "failed").inc()
            _log.error("version_does_not_load", collection=name, version=version, problem=served.broken[version])
            return
        served.add(version, model)

    def _read_model(self, name: str, version: str) -> RankingModel:
        baseline = self.baseline()
        manifest = baseline if version == baseline.id else self._registry.get(name, version).manifest
        if manifest.encoder != self.encoder.digest:
            raise ClickloopError(
                f"it needs the encoder {manifest.encoder}, this replica runs {self.encoder.digest}; "
                "set CLICKLOOP_MODEL and CLICKLOOP_ENCODER_PRECISION as when it was trained"
            )
        return load_model(manifest, self._registry.artifacts.get, self.embedder.embed, self.encoder.dimension)

    def _forget(self, served: Served, needed: set[str]) -> None:
        extra = [version for version in served.rankers if version not in needed]
        for version in extra[: max(0, len(served.rankers) - _KEPT_VERSIONS)]:
            served.drop(version)

    def _report(self) -> None:
        """Tell what is served: at once after a change, else now and then, to be known as alive."""
        if monotonic_s() < self._report_at_s:
            return
        rows = [
            {
                "collection": name,
                "replica": self._replica,
                "version": served.champion,
                "problem": served.problem,
                "seen_at": self._clock.now(),
            }
            for name, served in self._served.items()
        ]
        with transaction(self._engine) as connection:
            upsert(connection, replicas, rows)
        self._report_at_s = monotonic_s() + _REPORT_EVERY_S

    def _sign_off(self) -> None:
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(replicas).where(replicas.c.replica == self._replica))


def _verify(ranker: Ranker, encoder: Encoder) -> None:
    """Rank once before anybody is served: warms caches, and fails here instead of in a request."""
    query = Query("how to start", "how to start", encoder.encode_query("how to start"))
    settled = len(ranker.corpus) > 0 and not ranker.corpus.waiting  # before documents are embedded, it may find none
    hits = ranker.rank(query, 10).hits
    if settled and not hits:
        raise ClickloopError("it finds nothing in a collection that has documents")
    if any(hit.score != hit.score for hit in hits):
        raise ClickloopError("it gives scores that are not numbers")
