"""When things happen: APScheduler, and nothing else. Every job is also a command or a request.

Each job looks again and again at what the database says is to be done. So a stall, a restart, a clock that is put
right or a change to summer time neither drops nor doubles anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from ab_testing.api import Experiment, Experiments
from foundation.access.actors import SCHEDULE
from foundation.clock import Clock, SystemClock
from foundation.database.leases import Lease, LeaseLost, Leases
from foundation.errors import Conflict, InvalidRequest, Overloaded, StoreAway
from foundation.processes.rounds import Rounds
from foundation.sections import LearningSettings
from foundation.telemetry.logs import get_log
from retrainer.autopilot.autopilot import Autopilot
from retrainer.runs import Learners, Run, RunMoved, Runs
from retrainer.timetable import ErasureRetraining, NextFire, Timetable, every

LEASE = "retrainer"
_ADVANCE_EVERY_S = 0.5
_LOOK_EVERY_S = 3.0
_WATCH_EVERY_S = 1.0
_JOBS: dict[str, Any] = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
"""A look that comes late is taken once, however late."""

T = TypeVar("T")
_log = get_log("schedule")


class Schedule:
    """Advances training runs, looks at experiments, and requests runs when their time has come.

    Args:
        leases: The process that holds the lease does all this; the others stand by.
        timetables: Tell which collections train because it is time.
        erasure_retraining: Tells which train before their time, because a version learned from an erased person.
        automatic: Whether runs are requested for these two reasons; if not, only people request them.
    """

    def __init__(
        self,
        autopilot: Autopilot,
        runs: Runs,
        experiments: Experiments,
        leases: Leases,
        timetables: Sequence[Timetable],
        erasure_retraining: ErasureRetraining,
        *,
        lease_duration: timedelta,
        automatic: bool,
    ) -> None:
        self._autopilot = autopilot
        self._runs = runs
        self._experiments = experiments
        self._leases = leases
        self._timetables = timetables
        self._erasure_retraining = erasure_retraining
        self._lease_duration = lease_duration
        self._automatic = automatic
        self._lease: Lease | None = None
        self._stopped = threading.Event()
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults=_JOBS)
        self._watch = threading.Thread(target=self._watch_clock, name="schedule-clock", daemon=True)

    def start(self) -> None:
        """Start the looks in threads of their own."""
        self._scheduler.start()
        self._watch.start()
        self._start("advance", _ADVANCE_EVERY_S, self._runs.active, self.advance)
        self._start("experiments", _LOOK_EVERY_S, self._experiments.running, self.look)
        if self._automatic:
            for one in self._timetables:
                request = partial(self.request, learners=one.learners)
                self._start(f"{one.learners} learners due", _LOOK_EVERY_S, one.due, request)
            self._start("erasure retraining", _LOOK_EVERY_S, self._erasure_retraining.due, self.request)

    def stop(self) -> None:
        """Stop the looks; a step under way is finished first, and another process may go on at once.

        Calling it again does nothing.
        """
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._watch.join()
        self._scheduler.pause()  # or a look whose time has come meets an executor that is closed
        self._scheduler.shutdown(wait=True)
        if self._lease:
            self._leases.give(self._lease)

    def take(self, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        """Act on each thing that `look` finds, if this process holds the lease. Everything written names the lease.

        The look before the lease only tells whether to ask for it: until this process holds it, another one may do
        what was found.
        """
        lease = self._leases.take(LEASE, self._lease_duration) if look() else None
        if lease is None:
            return
        self._lease = lease
        with self._leases.guarded(lease):
            for one in look():
                act(one)

    def advance(self, run: Run) -> None:
        """Take the next step of a run; what goes wrong in it ends the run, unless it is the database."""
        try:
            self._autopilot.advance(run)
        except (LeaseLost, RunMoved, StoreAway, Overloaded):
            raise  # the run is not at fault; its step comes again
        except Exception as problem:  # noqa: BLE001  one run's trouble must not hold up the others; it is recorded
            _log.exception("run_failed", run=run.id)
            self._runs.end(run, "failed", f"step {run.step!r}: {problem}")

    def look(self, experiment: Experiment) -> None:
        """Read a running experiment, so that it ends when its test says so."""
        self._experiments.look(experiment.collection, experiment.id)

    def request(self, collection: str, learners: Learners = "fast") -> None:
        """Request a training run of a collection."""
        try:
            self._runs.request(collection, autopilot=True, actor=SCHEDULE, learners=learners)
        except LeaseLost:
            raise
        except Conflict as active:
            _log.info("scheduled_run_waits", collection=collection, because=active.detail)

    def _start(self, name: str, every_s: float, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        self._scheduler.add_job(self._try, "interval", seconds=every_s, args=(name, look, act), id=name)

    def _try(self, name: str, look: Callable[[], Sequence[T]], act: Callable[[T], None]) -> None:
        try:
            self.take(look, act)
        except StoreAway:
            return  # the log says so once, and the look comes again
        except Overloaded as busy:
            _log.warning("job comes again", job=name, because=busy.detail)
        except (LeaseLost, RunMoved) as overtaken:
            _log.warning("another process went on", job=name, because=overtaken.detail)
        except Exception:  # noqa: BLE001  logged; nothing may end the schedule
            _log.exception("job_failed", job=name)

    def _watch_clock(self) -> None:
        rounds = Rounds("watch over the clock")
        while not self._stopped.wait(_WATCH_EVERY_S):
            with rounds.guarded():
                bring_forward(self._scheduler, SystemClock().now())


def make_timetables(
    engine: sa.Engine, clock: Clock, settings: LearningSettings, collections: Callable[[], list[str]]
) -> list[Timetable]:
    """Return when collections train on schedule: the encoder, where it has a timetable, before the fast learners.

    Raises:
        InvalidRequest: The setting is no cron expression.
    """
    fast = by_cron(settings.schedule_cron) if settings.schedule_cron else _hourly(settings.schedule_hours)
    tables = [Timetable(engine, clock, fast, collections, clicks=settings.schedule_clicks)]
    if settings.encoder_schedule_hours:
        tables.insert(0, Timetable(engine, clock, _hourly(settings.encoder_schedule_hours), collections, "encoder"))
    return tables


def by_cron(expression: str) -> NextFire:
    """Return the rule of a cron expression of five fields, in UTC.

    Raises:
        InvalidRequest: It is none.
    """
    try:
        trigger = CronTrigger.from_crontab(expression, timezone="UTC")
    except ValueError as problem:
        raise InvalidRequest(
            f"CLICKLOOP_SCHEDULE_CRON={expression!r} is no cron expression of five fields, such as `30 3 * * 1-5`: "
            f"{problem}"
        ) from problem

    def after(at: datetime) -> datetime:
        found = trigger.get_next_fire_time(None, at + timedelta(seconds=1))
        return datetime.max.replace(tzinfo=UTC) if found is None else found.astimezone(UTC)

    return after


def _hourly(hours: float) -> NextFire:
    return every(timedelta(hours=hours))


def bring_forward(scheduler: BackgroundScheduler, now: datetime) -> None:
    """Let every job run now whose next time is further away than its interval: the clock was put back meanwhile."""
    for job in scheduler.get_jobs():
        if job.next_run_time - now > 2 * job.trigger.interval:
            job.modify(next_run_time=now)
