"""Builds snapshots in processes of their own, so that serving keeps its memory and its cores."""

from __future__ import annotations

import os
import subprocess
import threading

from foundation.errors import Conflict
from foundation.processes.children import end_children, start_child, wait_for
from foundation.settings import Settings
from foundation.telemetry.logs import get_log
from serving.index.snapshot_store import SnapshotStore

_NICENESS = 10
_SPARING = {"OMP_NUM_THREADS": "1", "CLICKLOOP_ENCODER_THREADS": "1"}
_GROWTH = 10
_log = get_log("builds")


class Builds:
    """The build processes that this process has started. Requests and the follower of the catalog start them.

    Args:
        settings: Handed on to the build process.
    """

    def __init__(self, snapshots: SnapshotStore, settings: Settings) -> None:
        self._snapshots = snapshots
        self._settings = settings
        self._processes: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def start(self, collection: str) -> None:
        """Start a build; returns at once.

        Raises:
            Conflict: One is under way, here or in another process.
        """
        if not self._start(collection, self._snapshots):
            raise Conflict(f"a snapshot of {collection!r} is being built already")

    def start_if_due(self, collection: str, snapshots: SnapshotStore, *, rows: int, delta: int) -> None:
        """Start a build when much has changed since the last one: by setting, and a tenth of all at least.

        Args:
            snapshots: Of the encoder whose index it is.
            rows: Rows of the corpus, those since the snapshot included.
            delta: Rows since the snapshot.
        """
        if delta >= max(self._settings.snapshot_min_changes, rows // _GROWTH):
            self._start(collection, snapshots)

    def start_for(self, collection: str, snapshots: SnapshotStore) -> None:
        """Start a build under another encoder, unless one is under way."""
        self._start(collection, snapshots)

    def stop(self) -> None:
        """End the builds under way, within 20 s; what they embedded is kept."""
        with self._lock:
            end_children(*self._processes.values())

    def _start(self, collection: str, snapshots: SnapshotStore) -> bool:
        """Start a build unless one is under way; return whether it did.

        The lock spans the check and the start: an overwritten process would end, as nothing holds its pipe.
        """
        with self._lock:
            build = (collection, snapshots.form)
            if self._runs(build) or snapshots.is_building(collection):
                return False
            encoder = snapshots.embedder.encoder.digest if snapshots.form else ""
            self._processes[build] = start_child(
                "clickloop",
                *("build", "--collection", collection),
                *(("--encoder", encoder, "--form", snapshots.form) if encoder else ()),
                environment=os.environ | self._settings.to_environment() | _SPARING,
                niceness=_NICENESS,
                stdout=subprocess.DEVNULL,
            )
        _log.info("build_started", collection=collection)
        return True

    def _runs(self, build: tuple[str, str]) -> bool:
        process = self._processes.get(build)
        if process is None:
            return False
        if process.poll() is None:
            return True
        code = wait_for(process)
        del self._processes[build]
        _log.info("build_ended", collection=build[0], exit_code=code)
        return False
