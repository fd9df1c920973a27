"""When things happen. Every job is also a command or a request.

Each job is a look that is taken again and again, counted by a clock that nobody sets; what is to be done the
database says. So neither a stall nor a restart, a clock put right or a change to summer time drops or doubles it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ab_testing.api import Experiment, Experiments
from foundation.actors import SCHEDULE
from foundation.errors import Conflict, StoreAway
from foundation.leases import Lease, LeaseLost, Leases
from foundation.settings import Settings
from foundation.telemetry import get_log
from retrainer.autopilot import Autopilot
from retrainer.oblivion import Oblivion
from retrainer.runs import Run, RunMoved, Runs
from retrainer.timetable import Timetable

LEASE = "retrainer"
_ADVANCE_EVERY_S = 0.5
_LOOK_EVERY_S = 3.0
T = TypeVar("T")
_log = get_log("schedule")


class Schedule:
    """Advances training runs, looks at experiments, and requests runs when their time has come.

    Args:
        leases: Of all processes the one with the lease does all this; the others stand by.
        timetable: Tells which collections train because it is time.
        oblivion: Tells which train before their time, for their versions learned from erased people.
    """

    def __init__(
        self,
        autopilot: Autopilot,
        runs: Runs,
        experiments: Experiments,
        leases: Leases,
        settings: Settings,
        timetable: Timetable,
        oblivion: Oblivion,
    ) -> None:
        self._autopilot = autopilot
        self._runs = runs
        self._experiments = experiments
        self._leases = leases
        self._settings = settings
        self._timetable = timetable
        self._oblivion = oblivion
        self._lease: Lease | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the looks in threads of their own."""
        self._start("advance", _ADVANCE_EVERY_S, self._runs.active, self.advance)
        self._start("experiments", _LOOK_EVERY_S, self._experiments.running, self.look)
        if self._settings.autopilot:
            self._start("due", _LOOK_EVERY_S, self._timetable.due, self.request)
            self._start("oblivion", _LOOK_EVERY_S, self._oblivion.due, self.request)

    def stop(self) -> None:
        """Stop the looks; a step under way is finished first, and another process may go on at once."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._lease:
            self._leases.give(self._lease)

    def take(self, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        """Act on each thing that `look` finds if this process holds the lease, which everything written names."""
        found = look()
        lease = self._leases.take(LEASE, self._settings.lease_duration()) if found else None
        if lease is None:
            return
        self._lease = lease
        with self._leases.guarded(lease):
            for one in found:
                act(one)

    def advance(self, run: Run) -> None:
        """Take the next step of a run; what goes wrong in it ends the run, unless it is the database."""
        try:
            self._autopilot.advance(run)
        except (LeaseLost, RunMoved, StoreAway):
            raise  # the run is not at fault; its step comes again
        except Exception as problem:  # noqa: BLE001  one run's trouble must not hold up the others; it is recorded
            _log.exception("run_failed", run=run.id)
            self._runs.end(run, "failed", f"step {run.step!r}: {problem}")

    def look(self, experiment: Experiment) -> None:
        """Read a running experiment, so that it ends when its test says so."""
        self._experiments.look(experiment.collection, experiment.id)

    def request(self, collection: str) -> None:
        """Request a training run of a collection."""
        try:
            self._runs.request(collection, autopilot=True, actor=SCHEDULE)
        except LeaseLost:
            raise
        except Conflict as active:
            _log.info("scheduled_run_waits", collection=collection, because=active.detail)

    def _start(self, name: str, every_s: float, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        thread = threading.Thread(target=self._repeat, args=(name, every_s, look, act), name=f"schedule-{name}")
        thread.start()
        self._threads.append(thread)

    def _repeat(self, name: str, every_s: float, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        while not self._stopped.wait(every_s):
            try:
                self.take(look, act)
            except StoreAway:
                continue  # the store tells it once, and the look comes again
            except (LeaseLost, RunMoved) as overtaken:
                _log.warning("another process went on", job=name, because=overtaken.detail)
            except Exception:  # noqa: BLE001  logged; nothing may end the schedule
                _log.exception("job_failed", job=name)
