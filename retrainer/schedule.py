"""When things happen: APScheduler, and nothing else. Every job is also a command or a request."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from apscheduler.schedulers.background import BackgroundScheduler

from ab_testing.api import Experiments
from foundation.errors import Conflict, StoreAway
from foundation.leases import Leases
from foundation.settings import Settings
from foundation.telemetry import get_log
from retrainer.autopilot import Autopilot
from retrainer.oblivion import Oblivion
from retrainer.runs import Runs

_ADVANCE_EVERY_S = 0.5
_LOOK_EVERY_S = 3.0
_LEAST_INTERVAL_S = 5.0
_log = get_log("schedule")


class Schedule:
    """Advances training runs, looks at experiments, and requests runs when their time has come.

    Args:
        leases: One process at a time advances the runs of all.
        collections: Returns the names of the collections to train on schedule.
        oblivion: Tells which of them train before their time, for their versions learned from erased people.
    """

    def __init__(
        self,
        autopilot: Autopilot,
        runs: Runs,
        experiments: Experiments,
        leases: Leases,
        settings: Settings,
        collections: Callable[[], list[str]],
        oblivion: Oblivion,
    ) -> None:
        self._autopilot = autopilot
        self._runs = runs
        self._experiments = experiments
        self._leases = leases
        self._settings = settings
        self._collections = collections
        self._oblivion = oblivion
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True})

    def start(self) -> None:
        """Start the jobs in threads of their own."""
        self._scheduler.add_job(_unless_away(self.advance_runs), "interval", seconds=_ADVANCE_EVERY_S)
        self._scheduler.add_job(_unless_away(self.look_at_experiments), "interval", seconds=_LOOK_EVERY_S)
        if self._settings.autopilot:
            every_s = self._settings.schedule_hours * 3600 / self._settings.clock_speed
            self._scheduler.add_job(
                _unless_away(self.request_runs), "interval", seconds=max(_LEAST_INTERVAL_S, every_s)
            )
            self._scheduler.add_job(_unless_away(self.request_oblivion), "interval", seconds=_LOOK_EVERY_S)
        self._scheduler.start()

    def stop(self) -> None:
        """Stop the jobs; a step under way is finished first."""
        self._scheduler.shutdown(wait=True)

    def advance_runs(self) -> None:
        """Take the next step of every active run, unless another process does."""
        runs = self._runs.active()
        if not runs or not self._leases.take("retrainer", self._settings.lease_duration()):
            return
        for run in runs:
            try:
                self._autopilot.advance(run)
            except StoreAway:
                raise  # the run is not at fault; its step comes again
            except Exception as problem:  # noqa: BLE001  one run's trouble must not hold up the others; it is recorded
                _log.exception("run_failed", run=run.id)
                self._runs.end(run, "failed", f"step {run.step!r}: {problem}")

    def look_at_experiments(self) -> None:
        """Read every running experiment, so that it ends when its test says so."""
        for experiment in self._experiments.running():
            self._experiments.look(experiment.collection, experiment.id)

    def request_runs(self) -> None:
        """Request a training run for every collection that has none."""
        self._request(self._collections())

    def request_oblivion(self) -> None:
        """Request a run for every collection whose versions learned from people erased since its last one."""
        self._request(self._oblivion.due())

    def _request(self, collections: list[str]) -> None:
        for collection in collections:
            try:
                self._runs.request(collection, autopilot=True)
            except Conflict as active:
                _log.info("scheduled_run_waits", collection=collection, because=active.detail)


def _unless_away(job: Callable[[], None]) -> Callable[[], None]:
    """Return a job that a store's being away ends without a word; the store tells it once, and the job comes again."""

    @wraps(job)
    def run() -> None:
        with suppress(StoreAway):
            job()

    return run
