"""A process beside the server that collects and retrains, so that answers share no interpreter with it."""

from __future__ import annotations

import os
import subprocess
import threading

from foundation.clock import monotonic_s
from foundation.processes.children import end_children, start_child, wait_for
from foundation.processes.rounds import Rounds
from foundation.settings import Settings
from foundation.telemetry.logs import get_log

_FIRST_PAUSE_S = 1.0
_MAX_PAUSE_S = 60.0
_log = get_log("supervisor")


class Supervisor:
    """Keeps `clickloop background` running while the server does.

    It ends by itself when this process is gone, however that happened. When it ends of itself it is started again,
    ever slower until it lasts.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | settings.to_environment()
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep_running, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        """Start it."""
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let it finish what is under way; kill it when it does not end within 20 s."""
        self._leaving.set()
        with self._lock:
            process = self._process
        if process:
            if process.stdin:
                process.stdin.close()  # what it goes by: it ignores signals, which the whole group may have been sent
            end_children(process)
        self._watch.join()

    def _keep_running(self) -> None:
        pause_s, rounds = _FIRST_PAUSE_S, Rounds("start of the background process")
        while not self._leaving.is_set():
            started_s = monotonic_s()
            with rounds.guarded():  # a machine without a free process or memory has some later
                self._run_once()
            if monotonic_s() - started_s > _MAX_PAUSE_S:
                pause_s = _FIRST_PAUSE_S  # it lasted, so this is another trouble than the last one
            self._leaving.wait(pause_s)
            pause_s = min(2 * pause_s, _MAX_PAUSE_S)

    def _run_once(self) -> None:
        if process := self._start():
            code = wait_for(process)
            if not self._leaving.is_set():
                _log.error("background ended, starts again", exit_code=code)

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._leaving.is_set():
                return None
            self._process = start_child("clickloop", "background", environment=self._environment)
            return self._process
