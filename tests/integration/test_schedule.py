"""One process of all keeps the schedule; the others stand by, and nothing ends it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler

from ab_testing.api import Experiments
from foundation.clock import FrozenClock
from foundation.database.leases import Leases
from foundation.errors import StoreAway
from foundation.telemetry.logs import configure_logs
from retrainer import schedule
from retrainer.runs import Run, Runs
from retrainer.schedule import LEASE, Schedule, bring_forward
from retrainer.timetable import ErasureRetraining, Timetable, every

TIMEOUT_S = 20.0


@dataclass
class Steps:
    """An autopilot that does what the test says."""

    happens: Callable[[Run], object] = id
    taken: list[str] = field(default_factory=list)

    def advance(self, run: Run) -> Run:
        """Take the next step."""
        self.taken.append(run.id)
        self.happens(run)
        return run


@dataclass
class House:
    """Everything that a schedule needs, at one moment."""

    engine: sa.Engine
    clock: FrozenClock
    runs: Runs

    def schedule(self, steps: Steps, autopilot: bool = False) -> Schedule:
        """Return the schedule of a process of its own."""
        leases = Leases(self.engine, self.clock, "one")
        timetable = Timetable(self.engine, self.clock, every(timedelta(days=1)), lambda: ["default"])
        return Schedule(
            steps,  # type: ignore[arg-type]  # as much of an autopilot as is asked
            self.runs,
            Experiments(self.engine, self.clock),
            leases,
            [timetable],
            ErasureRetraining(self.engine),
            lease_duration=timedelta(seconds=30),
            automatic=autopilot,
        )


@pytest.fixture
def house(engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(schedule, "_ADVANCE_EVERY_S", 0.02)
    monkeypatch.setattr(schedule, "_LOOK_EVERY_S", 0.02)
    return House(engine, clock, Runs(engine, clock))


@pytest.fixture
def started() -> Iterator[Callable[[Schedule], Schedule]]:
    running: list[Schedule] = []

    def start(one: Schedule) -> Schedule:
        one.start()
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def log(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_of_two_schedules_one_takes_the_steps_and_the_other_when_it_is_gone(
    house: House, started: Callable[[Schedule], Schedule]
) -> None:
    run = house.runs.request("default", autopilot=False)
    first, second = Steps(), Steps()
    one = started(house.schedule(first))
    wait_until(lambda: run.id in first.taken)
    started(house.schedule(second))
    time.sleep(0.2)
    assert second.taken == []

    one.stop()  # gives its lease back

    wait_until(lambda: run.id in second.taken)


def test_a_step_that_outlasts_its_interval_is_no_news(
    house: House, started: Callable[[Schedule], Schedule], caplog: pytest.LogCaptureFixture
) -> None:
    configure_logs("warning")
    run = house.runs.request("default", autopilot=False)
    steps = Steps(lambda _: time.sleep(0.2))
    one = started(house.schedule(steps))
    wait_until(lambda: run.id in steps.taken)
    one.stop()
    assert caplog.messages == []


def test_a_step_of_one_that_was_paused_is_refused_and_fails_no_run(
    house: House, started: Callable[[Schedule], Schedule], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("warning")
    run = house.runs.request("default", autopilot=False)
    heir = Leases(house.engine, house.clock, "heir")

    def stand_still(run: Run) -> None:
        house.clock.advance(timedelta(minutes=1))
        take_over = threading.Thread(target=heir.take, args=(LEASE, timedelta(minutes=1)))
        take_over.start()  # elsewhere, so under no lease of this process
        take_over.join()
        house.runs.advance(run, "plan", version="v-stale")

    steps = Steps(stand_still)
    one = started(house.schedule(steps))
    wait_until(lambda: bool(steps.taken))
    one.stop()

    assert house.runs.get("default", run.id) == run
    assert [line["event"] for line in log(capsys)] == ["another process went on"]


def test_a_run_whose_step_goes_wrong_fails_with_the_reason_and_holds_up_no_other(
    house: House, started: Callable[[Schedule], Schedule]
) -> None:
    bad, good = house.runs.request("bad", autopilot=False), house.runs.request("good", autopilot=False)

    def fail(run: Run) -> None:
        if run.id == bad.id:
            raise ValueError("no such luck")

    steps = Steps(fail)
    started(house.schedule(steps))
    wait_until(lambda: good.id in steps.taken and house.runs.get("bad", bad.id).state == "failed")
    assert house.runs.get("bad", bad.id).report["end"] == "step 'train': no such luck"


def test_a_database_that_is_away_fails_no_run_and_ends_nothing(
    house: House, started: Callable[[Schedule], Schedule], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("warning")
    run = house.runs.request("default", autopilot=False)

    def lose_it(_: Run) -> None:
        if len(steps.taken) < 5:
            raise StoreAway("the database does not answer")

    steps = Steps(lose_it)
    started(house.schedule(steps))
    wait_until(lambda: len(steps.taken) > 8)

    assert house.runs.get("default", run.id).state == "active"
    assert log(capsys) == []  # the store has told it


def test_a_run_that_is_due_is_requested_once(house: House, started: Callable[[Schedule], Schedule]) -> None:
    house.runs.end(house.runs.request("default", autopilot=True), "refused", "no better")
    house.clock.advance(timedelta(days=3))  # of which no process saw anything
    started(house.schedule(Steps(), autopilot=True))
    started(house.schedule(Steps(), autopilot=True))
    wait_until(lambda: len(house.runs.recent("default")) == 2)
    house.runs.end(house.runs.recent("default")[0], "refused", "no better")
    time.sleep(0.3)
    assert len(house.runs.recent("default")) == 2


def test_who_was_paused_between_look_and_lease_requests_no_second_run(house: House) -> None:
    house.runs.end(house.runs.request("default", autopilot=True), "refused", "no better")
    house.clock.advance(timedelta(days=1))
    paused, other = house.schedule(Steps()), house.schedule(Steps())
    looked: list[list[str]] = []

    def look_and_stop() -> list[str]:
        due = Timetable(house.engine, house.clock, every(timedelta(days=1)), lambda: ["default"]).due()
        if not looked:
            other.request("default")  # while this process stands still after its look
            house.runs.end(house.runs.recent("default")[0], "refused", "no better")
        looked.append(due)
        return due

    paused.take(look_and_stop, paused.request)

    assert looked[0] == ["default"]
    assert len(house.runs.recent("default")) == 2


def test_a_schedule_that_finds_nothing_writes_nothing(house: House, started: Callable[[Schedule], Schedule]) -> None:
    statements: list[str] = []
    sa.event.listen(house.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    started(house.schedule(Steps(), autopilot=True))
    wait_until(lambda: len(statements) > 50)
    assert not [one for one in statements if not one.startswith(("BEGIN", "SELECT"))]


def test_a_clock_that_was_put_back_moves_no_look_away() -> None:
    looked = threading.Event()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    try:
        an_hour_ahead = datetime.now(UTC) + timedelta(hours=1)  # noqa: TID251  APScheduler asks the machine's clock
        scheduler.add_job(looked.set, "interval", seconds=60, next_run_time=an_hour_ahead)
        bring_forward(scheduler, an_hour_ahead - timedelta(seconds=90))
        assert not looked.wait(0.2)  # within two intervals: nothing to mend
        bring_forward(scheduler, an_hour_ahead - timedelta(hours=1))
        assert looked.wait(TIMEOUT_S)
    finally:
        scheduler.shutdown()
