"""Keeps what is served up to date: documents, evidence and versions, without stopping a request.

Three threads follow the database. One looks whether anything changed, by one statement. One brings
documents and evidence into memory (`serving.live.content`); the other loads versions beside those that
serve, warms and verifies them, and swaps one reference.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import sqlalchemy as sa

from ab_testing.api import Assignments
from foundation.clock import Clock, monotonic_s
from foundation.contracts import Manifest
from foundation.errors import NotFound, NotReady, Overloaded, StoreAway
from foundation.registry.registry import Registry
from foundation.settings import Settings
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import OFF_CHAMPION, SWAPS
from serving.catalog.changes import ChangeCounts, read_changes
from serving.live.collection_state import CollectionState
from serving.live.content import Content
from serving.live.replicas import forget_replica, report_replica
from serving.live.succession import order_of_succession
from serving.live.versions import Versions

_KEPT_VERSIONS = 4
_MOVES = 1000
_REPORT_EVERY_S = 5.0
_PATIENCE_AT_START_S = 20.0
_PATIENCE_S = 1.0
_STOP_LIMIT_S = 10.0
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
        self._versions = Versions(registry, content.embedder, settings.fusion)
        self._assignments = assignments
        self.embedder = content.embedder
        self.encoder = content.embedder.encoder
        self._settings = settings
        self._clock = clock
        self._replica = replica
        self._served = self._content.served
        self._seen = (0, ChangeCounts())
        self._champions: Mapping[str, str] = {}
        self._followed: ChangeCounts | None = None
        self._stop = threading.Event()
        self._noted = threading.Event()
        self._changed = threading.Event()
        self._appeared = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pointing = threading.Lock()
        self._moves = 0
        self._report_at_s = 0.0
        self.ready = False

    def collection(self, name: str) -> CollectionState:
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
                "champion": served.wanted,
                "problem": served.problem,
                "documents": len(served.corpus),
                "behind": self._content.behind(name),
                "waiting": served.corpus.waiting,
                "snapshot": served.corpus.snapshot.id if served.corpus.snapshot else "",
                "generation": served.corpus.snapshot.id if served.corpus.snapshot else "",  # its name before 0.2
            }
            for name, served in sorted(self._served.items())
        }

    def problems(self) -> list[str]:
        """Return what keeps this replica from serving what it should, as sentences."""
        behind = [
            f"collection {name}: what changed in it cannot be taken in, and is tried again: {told}"
            for name, told in self._content.problems().items()
        ]
        return behind + [
            f"collection {name}: {told}"
            for name, served in sorted(self._served.items())
            for told in self._say(name, served)
        ]

    def _say(self, name: str, served: CollectionState) -> Iterator[str]:
        if served.problem:
            yield served.problem
        elif served.wanted != served.champion:
            yield f"version {served.champion or 'none'} serves, and not yet the champion {served.wanted}"
        for version in sorted(self._assignments.versions(name) - {served.wanted}):
            if problem := served.failures.problem(version):
                yield f"version {version} of the experiment does not load, and nobody takes part here: {problem}"

    def start(self) -> None:
        """Bring everything up to date once, then keep following in three threads.

        New texts are embedded for some seconds; those that still wait are found by their words.
        """
        self.follow_content(_PATIENCE_AT_START_S)
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
        for waited_for in (self._noted, self._changed, self._appeared):
            waited_for.set()
        for thread in self._threads:
            thread.join(_STOP_LIMIT_S)
        self._content.close()
        self._sign_off()

    def note_change(self, collection: str, deleted: list[str]) -> None:
        """Follow a change of the catalog made in this process at once; deleted documents vanish now. Never blocks."""
        self._content.hide(collection, deleted)
        self._noted.set()

    def follow(self) -> None:
        """Take in whatever changed, once; one statement when nothing did."""
        self._look()
        self._continue_content()
        self._continue_versions()

    def follow_content(self, patience_s: float = _PATIENCE_S) -> bool:
        """Take in new documents and evidence of every collection; see `Content.follow`."""
        self._look()
        return self._content.follow(self._seen[1], patience_s)

    def follow_versions(self) -> None:
        """Load the versions that should serve and swap to the champions among them."""
        self._look()
        self._continue_versions()

    def move(self, collection: str, version: str) -> None:
        """Swap to a version at once if it is loaded; else the follower loads it in its time. Never blocks.

        For moves of the pointer made in this process, just after their transaction.
        """
        with self._pointing:
            self._moves += 1
            served = self._served.get(collection)
            if served is not None and version in served.rankers:
                self._want(served, version)
                self._point(collection, served, version)
        self._noted.set()

    def baseline(self) -> Manifest:
        """Return the untuned version that serves before any promotion."""
        return self._versions.baseline

    def _look(self) -> None:
        self._seen = (self._moves, read_changes(self._engine))

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
        return self._content.follow(self._seen[1], _PATIENCE_S)

    def _repeat_versions(self) -> None:
        while not self._stop.is_set():
            self._appeared.wait()
            self._appeared.clear()
            self._try(self._continue_versions)

    def _try(self, follow: Callable[[], bool | None]) -> bool | None:
        try:
            return follow()
        except StoreAway:
            return None  # told once by the store itself; what is loaded serves on
        except Overloaded as busy:
            _log.warning("follower_waits", follower=follow.__name__, because=busy.detail)
            return None
        except Exception:  # noqa: BLE001  a follower outlives whatever breaks in it; what is loaded serves on
            _log.exception("follower_failed", follower=follow.__name__)
            return None

    def _continue_versions(self) -> None:
        moves, seen = self._seen
        if self._followed is None or seen.running != self._followed.running:
            self._assignments.refresh()
        if self._followed is None or seen.champions != self._followed.champions:
            self._champions = self._registry.champions()
        self._followed = seen
        for name, served in list(self._served.items()):
            self._follow_champion(name, served, self._champions.get(name, self.baseline().id), moves)
            tested = self._assignments.versions(name)
            for version in tested:
                self._versions.hold(name, served, version)
            self._forget(served, {served.champion, served.wanted} | tested)
        self._report()

    def _follow_champion(self, name: str, served: CollectionState, wanted: str, moves: int) -> None:
        """Serve `wanted`, which the registry named when `moves` moves had been made in this process."""
        with self._pointing:
            if moves != self._moves:
                return  # the pointer moved meanwhile: what was read is old
            self._want(served, wanted)
        if wanted == served.champion and not served.problem:
            return
        best = next((one for one in self._candidates(name, served) if self._versions.hold(name, served, one)), "")
        with self._pointing:
            if moves == self._moves:
                self._point(name, served, best or served.champion, _explain(served, best))

    def _want(self, served: CollectionState, version: str) -> None:
        """Note which version should serve. A new one is tried at once, whatever became of it before."""
        if version != served.wanted:
            served.wanted, served.succession = version, None
            served.failures.forget(version)

    def _candidates(self, name: str, served: CollectionState) -> Iterator[str]:
        """Yield who may serve, the best first."""
        yield served.wanted
        if served.succession is None:
            served.succession = order_of_succession(self._registry.moves(name, _MOVES), self.baseline().id)
        yield from served.succession

    def _point(self, name: str, served: CollectionState, version: str, problem: str = "") -> None:
        """Swap one reference, and say so."""
        swapped = version != served.champion
        served.point(version)
        self._tell_problem(served, problem)
        OFF_CHAMPION.labels(name).set(version != served.wanted)
        if swapped:
            self._report_at_s = 0.0
            SWAPS.labels(name, "swapped").inc()
            _log.info("swapped", collection=name, version=version)

    def _tell_problem(self, served: CollectionState, problem: str) -> None:
        if problem != served.problem:
            served.problem = problem
            self._report_at_s = 0.0

    def _forget(self, served: CollectionState, needed: set[str]) -> None:
        extra = [version for version in served.rankers if version not in needed]
        for version in extra[: max(0, len(served.rankers) - _KEPT_VERSIONS)]:
            served.drop(version)
        served.failures.keep(needed | set(served.succession or ()))

    def _report(self) -> None:
        """Tell what is served: at once after a change, else now and then, to be known as alive."""
        if monotonic_s() < self._report_at_s:
            return
        served = {name: (one.champion, one.problem) for name, one in self._served.items()}
        report_replica(self._engine, self._replica, served, self._clock.now())
        self._report_at_s = monotonic_s() + _REPORT_EVERY_S

    def _sign_off(self) -> None:
        with suppress(StoreAway, Overloaded):
            forget_replica(self._engine, self._replica)


def _explain(served: CollectionState, best: str) -> str:
    """Return why the champion does not serve, "" when it does."""
    if best == served.wanted:
        return ""
    instead = f"version {best or served.champion} serves instead" if best or served.champion else "nothing serves"
    return f"version {served.wanted} does not load, {instead}: {served.failures.problem(served.wanted)}"
