"""A trainer that stands still beyond its lease, while another one does its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from benchmarks.harness.fixtures import drain, index
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings, children
from benchmarks.harness.visitors import Visitors
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import NotReady
from foundation.processes.children import end_children
from foundation.settings import Settings
from retrainer.runs import Run

_LEARNED_S = 25.0
_BEGUN_TIMEOUT_S = 60.0
_ENDED_TIMEOUT_S = 300.0
_STALE_S = 20.0
_LOOK_S = 0.1


def measure(documents: list[dict[str, Any]], queries: list[str], seed: int) -> list[Bar]:
    """Return what a trainer writes that comes back after its lease went to another."""
    with bench_settings() as settings, Server(settings) as server:
        container = Container(settings)
        index(server.remote, documents)
        visitors = Visitors(server.url, queries, seed)
        time.sleep(_LEARNED_S)
        visitors.stop()
        drain(container)
        run_id = server.remote.post("/v1/training-runs", {"autopilot": False})["id"]
        paused = _pause_trainer(container, server, run_id)
        other = _start_trainer(settings)
        try:
            ended = _await_end(container, run_id)
            made = _versions_of(container, run_id)
        finally:
            for process in paused:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)
        time.sleep(_STALE_S)
        after = container.runs.get(DEFAULT_COLLECTION, run_id)
        trained = len(_versions_of(container, run_id)) - len(made)
        end_children(other)
        container.log.close()
        container.engine.dispose()
    said = f"trainer paused beyond its lease, run {ended.state} by another"
    return [
        at_most("chaos.stale_writes", f"{said}: rows of the ended run that it changed", int(after != ended), 0),
        at_most("chaos.trained_twice", f"{said}: further versions of the run", trained, 0),
    ]


def _pause_trainer(container: Container, server: Server, run_id: str) -> list[int]:
    """Wait until the run is being trained, stop everything that trains, and return the processes."""
    deadline = monotonic_s() + _BEGUN_TIMEOUT_S
    while "doing" not in container.runs.get(DEFAULT_COLLECTION, run_id).report:
        if monotonic_s() > deadline:
            raise NotReady(f"run {run_id} is not being trained after {_BEGUN_TIMEOUT_S:.0f} s")
        time.sleep(_LOOK_S)
    tree = children(server.process_id)
    tree += [grandchild for child in tree for grandchild in children(child)]
    for process in tree:
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(process, signal.SIGSTOP)
    return tree


def _start_trainer(settings: Settings) -> subprocess.Popen[bytes]:
    with (settings.home / "retrain.log").open("ab") as log:
        return subprocess.Popen(  # a list without a shell
            [sys.executable, "-m", "clickloop", "retrain"],
            env=os.environ | settings.to_environment(),
            stdout=log,
            stderr=log,
        )


def _await_end(container: Container, run_id: str) -> Run:
    """Return the run once it has ended.

    Raises:
        NotReady: It has not within five minutes.
    """
    deadline = monotonic_s() + _ENDED_TIMEOUT_S
    while (run := container.runs.get(DEFAULT_COLLECTION, run_id)).state == "active":
        if monotonic_s() > deadline:
            raise NotReady(f"run {run_id} has not ended after {_ENDED_TIMEOUT_S:.0f} s: {run.report}")
        time.sleep(_LOOK_S)
    return run


def _versions_of(container: Container, run_id: str) -> list[str]:
    found = container.registry.list(DEFAULT_COLLECTION, 1000)
    return [version.id for version in found if run_id in version.lineage.values()]
