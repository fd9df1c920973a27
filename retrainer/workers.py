"""Runs the training of a run in a process of its own, so that serving keeps its memory and its cores."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from foundation.database.leases import Lease, Leases
from foundation.processes.children import end_children, start_child, wait_for
from foundation.telemetry.logs import get_log
from retrainer.autopilot.autopilot import Training
from retrainer.runs import Run, Runs

AGAIN = 75
"""Exit status of a training that ended because a store was away: it is begun anew. As EX_TEMPFAIL of sysexits.h."""

_MAX_KILLED = 5
"""A training that was killed so often, as by a machine that is short of memory, fails."""

_NICENESS = 5
_log = get_log("worker")


def run_lease(run_id: str) -> str:
    """Return the name of the lease under which a run is trained."""
    return f"run:{run_id}"


@dataclass(frozen=True, slots=True)
class _Started:
    """A training process, and the lease that it renews and names in what it writes."""

    process: subprocess.Popen[bytes]
    lease: Lease


class Workers:
    """The training processes that this process has started.

    Each run has a lease of its own, which its training process renews. While it is held, no other process trains the
    run, even if another process took over the schedule meanwhile. When it runs out, the run is begun anew, and what
    the process before would still write is refused. A process that was killed by itself, as where memory is short, is
    begun anew at once, a few times. Training registers nothing before its end.

    Args:
        environment: Variables that training processes have beside those of this one: the settings.
    """

    def __init__(
        self, runs: Runs, leases: Leases, *, lease_duration: timedelta, environment: Mapping[str, str]
    ) -> None:
        self._runs = runs
        self._leases = leases
        self._lease_duration = lease_duration
        self._environment = dict(environment)
        self._started: dict[str, _Started] = {}
        self._killed: Counter[str] = Counter()

    def train(self, run: Run) -> Training:
        """Start the training of a run, or tell how it stands. Never blocks."""
        started = self._started.get(run.id)
        if started is None:
            return self._begin(run)
        if started.process.poll() is None:
            return "running"
        code = wait_for(started.process)
        del self._started[run.id]
        _log.info("training_ended", run=run.id, exit_code=code)
        was_ours = self._leases.give(started.lease)
        self._killed[run.id] += code < 0
        killed = code < 0 and self._killed[run.id] < _MAX_KILLED
        if (
            code == AGAIN or killed or not was_ours
        ):  # if not, another process trains on, and this one's end says nothing
            return self._begin(run)
        return "finished" if code == 0 else "failed"

    def stop(self) -> None:
        """End the processes under way, within 20 s; their runs start again with the next retrainer."""
        end_children(*(started.process for started in self._started.values()))
        for started in self._started.values():
            self._leases.give(started.lease)

    def _begin(self, run: Run) -> Training:
        lease = self._leases.take(run_lease(run.id), self._lease_duration)
        if lease is None:
            return "running"  # in a process that another retrainer started
        known = self._runs.get(run.collection, run.id)
        if known.version or "problem" in known.report:
            self._leases.give(lease)
            return "finished" if known.version else "failed"
        self._started[run.id] = _Started(self._start(run, lease), lease)
        return "running"

    def _start(self, run: Run, lease: Lease) -> subprocess.Popen[bytes]:
        return start_child(
            "clickloop",
            *("retrain", "--collection", run.collection, "--run", run.id, "--lease", str(lease.number)),
            environment=os.environ | self._environment | {"OMP_WAIT_POLICY": "PASSIVE"},
            niceness=_NICENESS,
            stdout=subprocess.DEVNULL,
        )
