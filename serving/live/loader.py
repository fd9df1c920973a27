"""Keeps what is served up to date: documents, evidence and versions, without stopping a request.

Three threads follow the database. The first looks whether anything changed, by one statement. The second
brings documents and evidence into memory (`serving.live.content`). The third loads versions beside those that
serve, and swaps to the champions (`serving.live.champions`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import sqlalchemy as sa

from ab_testing.api import Assignments, PinnedEvidence
from foundation.clock import Clock
from foundation.contracts import Manifest
from foundation.errors import NotFound, NotReady, Overloaded, StoreAway
from foundation.registry.registry import Registry
from foundation.sections import SearchSettings
from foundation.telemetry.logs import get_log
from serving.catalog.changes import ChangeCounts, read_changes
from serving.live.champions import Champions
from serving.live.collection_state import CollectionState, ServingSnapshot
from serving.live.content import Content
from serving.live.participation import Participation
from serving.live.pinned import PinnedMemories
from serving.live.replicas import ReplicaReport
from serving.live.versions import Versions

_EMBEDDING_LIMIT_AT_START_S = 20.0
_EMBEDDING_LIMIT_S = 1.0
_STOP_LIMIT_S = 10.0
_log = get_log("loader")


class Loader:
    """The collections of one replica.

    Args:
        load_pin: Returns the evidence that an experiment pinned, by its digest.
        replica: Name of this process in the table of replicas.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        content: Content,
        registry: Registry,
        assignments: Assignments,
        load_pin: Callable[[str], PinnedEvidence],
        settings: SearchSettings,
        clock: Clock,
        replica: str,
    ) -> None:
        self._engine = engine
        self._content = content
        self._registry = registry
        self._assignments = assignments
        self._settings = settings
        self.encoder = content.embedder.encoder
        self._versions = Versions(registry, content.spaces, settings.fusion)
        self._participation = Participation(assignments, self._versions, PinnedMemories(load_pin), content.relevance)
        self._report = ReplicaReport(engine, replica, clock)
        self._pointer = Champions(registry, self._versions, self._report.hurry)
        self._served = self._content.served
        self._seen = (0, ChangeCounts())
        self._champions: Mapping[str, str] = {}
        self._followed: ChangeCounts | None = None
        self._stop = threading.Event()
        self._noted = threading.Event()
        self._changed = threading.Event()
        self._appeared = threading.Event()
        self._threads: list[threading.Thread] = []
        self.ready = False

    def collection(self, name: str) -> CollectionState:
        """Return a collection that serves.

        Raises:
            NotFound: It has no documents.
            NotReady: Its documents are still being read.
        """
        if name not in self._content.names():
            raise NotFound(f"collection {name!r} has no documents; send some with PUT /v1/documents")
        served = self._served.get(name)
        if served is None or not served.champion:
            raise NotReady(f"collection {name!r} is being loaded; ask again in a second")
        return served

    def known(self, name: str) -> ServingSnapshot | None:
        """Return what serves of a collection, which may have evidence only; None while nothing is known of it.

        Raises:
            NotReady: Its documents are still being read.
        """
        served = self._served.get(name)
        if name in self._content.names():
            return self.collection(name).snapshot
        return served.snapshot if served and served.champion else None

    def state(self) -> dict[str, dict[str, str | int]]:
        """Return what this replica serves, for people and probes; asks no store, so that it never waits."""
        return {name: self._state_of(name, served) for name, served in sorted(self._served.items())}

    def _state_of(self, name: str, served: CollectionState) -> dict[str, str | int]:
        snapshot = served.corpus.snapshot.id if served.corpus.snapshot else ""
        return {
            "version": served.champion,
            "champion": served.wanted,
            "encoder": served.encoder,
            "problem": served.problem,
            "documents": len(served.corpus),
            "behind": self._content.behind(name),
            "waiting": served.corpus.waiting,
            "snapshot": snapshot,
            "generation": snapshot,  # its name before 0.2
        }

    def problems(self) -> list[str]:
        """Return what keeps this replica from serving what it should, as sentences."""
        behind = [
            f"collection {name}: what changed in it cannot be taken in, and is tried again: {problem}"
            for name, problem in self._content.problems().items()
        ]
        return behind + [
            f"collection {name}: {problem}"
            for name, served in sorted(self._served.items())
            for problem in self._problems_of(name, served)
        ]

    def _problems_of(self, name: str, served: CollectionState) -> Iterator[str]:
        if served.problem:
            yield served.problem
        elif served.wanted != served.champion:
            yield f"version {served.champion or 'none'} serves, and not yet the champion {served.wanted}"
        yield from self._participation.problems(name).values()

    def experiment_problems(self, collection: str) -> Mapping[str, str]:
        """Return why running experiments take no part in this replica, by id; asks no store."""
        return self._participation.problems(collection)

    def start(self) -> None:
        """Bring everything up to date once, then keep following in three threads.

        New texts are embedded for some seconds; those that still wait are found by their words.
        """
        self.follow_content(_EMBEDDING_LIMIT_AT_START_S)
        self.follow_versions()
        self.ready = True
        for follow in (self._repeat_looks, self._repeat_content, self._repeat_versions):
            thread = threading.Thread(target=follow, name=follow.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop following, wait for the threads, and end the builds under way."""
        self.ready = False
        self._stop.set()
        for event in (self._noted, self._changed, self._appeared):
            event.set()
        for thread in self._threads:
            thread.join(_STOP_LIMIT_S)
        self._content.close()
        with suppress(StoreAway, Overloaded):
            self._report.withdraw()

    def note_change(self, collection: str, deleted: list[str]) -> None:
        """Follow a change of the catalog made in this process at once; deleted documents vanish now. Never blocks."""
        self._content.tombstone(collection, deleted)
        self._noted.set()

    def note_settings(self) -> None:
        """Follow settings that were changed in this process at once. Never blocks."""
        self._noted.set()

    def follow(self) -> None:
        """Take in all changes once; needs one statement when there are none."""
        self._look()
        self._continue_content()
        self._continue_versions()

    def follow_content(self, embedding_limit_s: float = _EMBEDDING_LIMIT_S) -> bool:
        """Take in new documents and evidence of every collection; see `Content.follow`."""
        self._look()
        return self._content.follow(self._seen[1], embedding_limit_s)

    def follow_versions(self) -> None:
        """Load the versions that should serve and swap to the champions among them."""
        self._look()
        self._continue_versions()

    def move(self, collection: str, version: str) -> None:
        """Swap to a version at once if it is loaded; else the follower loads it in its time. Never blocks.

        For moves of the pointer made in this process, just after their transaction.
        """
        self._pointer.move(collection, self._served.get(collection), version)
        self._noted.set()

    def baseline(self) -> Manifest:
        """Return the untuned version that serves before any promotion."""
        return self._versions.baseline

    def _look(self) -> None:
        self._seen = (self._pointer.moves, read_changes(self._engine))

    def _repeat_looks(self) -> None:
        while not self._stop.is_set():
            self._noted.wait(self._settings.refresh_s)
            self._noted.clear()
            self._try(self._look)
            self._changed.set()
            self._appeared.set()

    def _repeat_content(self) -> None:
        while not self._stop.is_set():
            self._changed.wait()
            self._changed.clear()
            while self._try(self._continue_content) and not self._stop.is_set():
                pass
            if not all(served.champion for served in list(self._served.values())):
                self._appeared.set()

    def _continue_content(self) -> bool:
        return self._content.follow(self._seen[1], _EMBEDDING_LIMIT_S)

    def _repeat_versions(self) -> None:
        while not self._stop.is_set():
            self._appeared.wait()
            self._appeared.clear()
            self._try(self._continue_versions)

    def _try(self, follow: Callable[[], bool | None]) -> bool | None:
        try:
            return follow()
        except StoreAway:
            return None  # the store itself logs it once; what is loaded serves on
        except Overloaded as busy:
            _log.warning("follower_waits", follower=follow.__name__, because=busy.detail)
            return None
        except Exception:  # noqa: BLE001  a follower outlives any failure in it; what is loaded serves on
            _log.exception("follower_failed", follower=follow.__name__)
            return None

    def _continue_versions(self) -> None:
        moves, seen = self._seen
        if self._followed is None or seen.running != self._followed.running:
            self._assignments.refresh()
        if self._followed is None or seen.champions != self._followed.champions:
            self._champions = self._registry.champions()
        for name in self._served:
            if self._followed is None or seen.evidence.get(name) != self._followed.evidence.get(name):
                self._assignments.learn_arms(name)
        self._followed = seen
        for name, served in list(self._served.items()):
            self._pointer.follow(name, served, self._champions.get(name, self.baseline().id), moves)
            self._participation.follow(name, served)
            self._pointer.forget_extra(served, self._assignments.versions(name))
        self._participation.forget_extra()
        self._report.write({name: (one.champion, one.problem) for name, one in self._served.items()})
