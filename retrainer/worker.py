"""Runs the training of a run in a process of its own, so that serving keeps its memory and its cores."""

from __future__ import annotations

import os
import subprocess
import sys

from foundation.settings import Settings
from foundation.telemetry import get_log
from retrainer.autopilot import Training
from retrainer.runs import Run

_NICENESS = 5
_log = get_log("worker")


class Workers:
    """The training processes that this process has started.

    A run whose process is not among them, because an earlier retrainer died, is started again;
    training registers nothing before its end, so nothing is left half done.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def train(self, run: Run) -> Training:
        """Start the training of a run, or tell how it stands. Never blocks."""
        process = self._processes.get(run.id)
        if process is None:
            self._processes[run.id] = self._start(run)
            return "running"
        code = process.poll()
        if code is None:
            return "running"
        del self._processes[run.id]
        _log.info("training_ended", run=run.id, exit_code=code)
        return "finished" if code == 0 else "failed"

    def stop(self) -> None:
        """End the processes under way; their runs start again with the next retrainer."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait()

    def _start(self, run: Run) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "clickloop", "retrain", "--collection", run.collection, "--run", run.id]
        environment = os.environ | self._settings.to_environment() | {"OMP_WAIT_POLICY": "PASSIVE"}
        return subprocess.Popen(  # noqa: S603  our own command
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.nice(_NICENESS),  # noqa: PLW1509  nice is async-signal-safe
        )
