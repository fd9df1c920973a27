"""Training is due by what the database says of the last run: no stall, restart or clock drops or doubles it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collector.join.batch import fold_batch
from foundation.clock import Clock, FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.errors import InvalidRequest
from foundation.settings import Settings
from retrainer.runs import Runs
from retrainer.schedule import by_cron
from retrainer.timetable import Due, Timetable, every

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SETTINGS = Settings(_env_file=None)


@pytest.fixture
def runs(any_engine: sa.Engine, clock: FrozenClock) -> Runs:
    return Runs(any_engine, clock)


def due(engine: sa.Engine, clock: Clock, *collections: str) -> list[str]:
    """Return what is due, by a process that was just started."""
    return Timetable(engine, clock, every(DAY), lambda: list(collections or ("default",))).due()


def show(engine: sa.Engine, collection: str, at: datetime) -> None:
    with transaction(engine) as connection:
        shown = Impression(collection, f"q-{at}", "toner", "u", "v", (ShownResult("a", 1, 1.0),), at)
        fold_batch(connection, [shown], SETTINGS)


def train(runs: Runs, collection: str = "default") -> None:
    runs.end(runs.request(collection, autopilot=True), "refused", "no better")


def test_a_run_is_due_an_interval_after_the_last_one_and_once(
    any_engine: sa.Engine, clock: FrozenClock, runs: Runs
) -> None:
    train(runs)
    clock.advance(DAY - MINUTE)
    assert due(any_engine, clock) == []
    clock.advance(MINUTE)
    assert due(any_engine, clock) == ["default"]
    train(runs)
    assert due(any_engine, clock) == []


def test_a_run_due_while_nothing_ran_is_due_when_something_does_and_once(
    any_engine: sa.Engine, clock: FrozenClock, runs: Runs
) -> None:
    train(runs)
    clock.advance(5 * DAY)
    assert due(any_engine, clock) == ["default"]
    train(runs)
    assert due(any_engine, clock) == []
    clock.advance(DAY)
    assert due(any_engine, clock) == ["default"]


def test_a_restart_each_night_drops_none(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    """Each process lives for 20 hours, less than the interval, and looks every hour."""
    train(runs)
    trained = 0
    for hour in range(24 * 10):
        clock.advance(timedelta(hours=1))
        if hour % 24 < 20 and due(any_engine, clock):
            train(runs)
            trained += 1
    assert 8 <= trained <= 10


def test_a_run_that_is_not_finished_is_waited_for(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    run = runs.request("default", autopilot=True)
    clock.advance(7 * DAY)
    assert due(any_engine, clock) == []
    runs.end(run, "dropped", "no better")
    assert due(any_engine, clock) == ["default"]


def test_a_new_collection_is_due_an_interval_after_its_first_list(any_engine: sa.Engine, clock: FrozenClock) -> None:
    assert due(any_engine, clock) == []
    clock.advance(5 * DAY)
    assert due(any_engine, clock) == []  # nothing was shown, so there is nothing to learn from
    show(any_engine, "default", clock.now())
    clock.advance(DAY - MINUTE)
    assert due(any_engine, clock) == []
    clock.advance(MINUTE)
    show(any_engine, "default", clock.now())
    assert due(any_engine, clock) == ["default"]


def test_a_clock_put_back_neither_doubles_nor_stops_it(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    train(runs)
    clock.advance(-timedelta(hours=2))
    assert due(any_engine, clock) == []  # just trained
    clock.advance(timedelta(hours=26))
    assert due(any_engine, clock) == ["default"]


def test_a_run_of_a_clock_that_was_a_year_ahead_stops_nothing(
    any_engine: sa.Engine, clock: FrozenClock, runs: Runs
) -> None:
    clock.advance(365 * DAY)
    train(runs)
    clock.advance(-365 * DAY)
    assert due(any_engine, clock) == ["default"]
    train(runs)
    assert due(any_engine, clock) == []
    clock.advance(DAY)
    assert due(any_engine, clock) == ["default"]


def test_a_clock_put_forward_makes_one_due_at_most_once(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    train(runs)
    clock.advance(30 * DAY)
    assert due(any_engine, clock) == ["default"]
    train(runs)
    assert due(any_engine, clock) == []


def test_summer_time_is_nothing_to_it(any_engine: sa.Engine) -> None:
    clock = FrozenClock(datetime(2026, 3, 28, 23, tzinfo=UTC))  # clocks in Europe go forward in the next hours
    runs = Runs(any_engine, clock)
    train(runs)
    clock.advance(DAY - MINUTE)
    assert due(any_engine, clock) == []
    clock.advance(MINUTE)
    assert due(any_engine, clock) == ["default"]


def test_hundreds_of_collections_are_asked_about_in_a_few_statements(
    any_engine: sa.Engine, clock: FrozenClock, runs: Runs
) -> None:
    names = [f"c{number}" for number in range(450)]
    show(any_engine, "c7", clock.now())
    show(any_engine, "c444", clock.now())
    train(runs, "c3")
    clock.advance(DAY)
    statements: list[str] = []
    sa.event.listen(any_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    assert due(any_engine, clock, *names) == ["c3", "c444", "c7"]

    assert len([one for one in statements if one != "BEGIN"]) <= 4


def test_the_encoder_waits_for_the_last_run_that_fine_tuned_it(engine: sa.Engine, clock: FrozenClock) -> None:
    runs = Runs(engine, clock)
    weekly = Timetable(engine, clock, every(timedelta(days=7)), lambda: ["default"], "encoder")
    train(runs)
    assert weekly.due() == ["default"]  # what the fast learners did says nothing of the encoder
    run = runs.request("default", autopilot=True, learners="encoder")
    assert run.learners == "encoder"
    assert weekly.due() == []
    runs.end(run, "refused", "no better")
    assert runs.get("default", run.id).learners == "encoder"
    clock.advance(timedelta(days=6))
    assert weekly.due() == []
    clock.advance(timedelta(days=1))
    assert weekly.due() == ["default"]


def click(engine: sa.Engine, query_id: str, at: datetime, surface: str = "page") -> None:
    shown = Impression("default", query_id, "toner", query_id, "v", (ShownResult("a", 1, 1.0),), at, surface=surface)
    event = FeedbackEvent("default", f"{query_id}/click", "click", query_id, "a", "", 0.0, at, at)
    with transaction(engine) as connection:
        fold_batch(connection, [shown, event], SETTINGS)


def test_enough_new_clicks_make_a_run_due_before_its_time(
    any_engine: sa.Engine, clock: FrozenClock, runs: Runs
) -> None:
    table = Timetable(any_engine, clock, every(DAY), lambda: ["default"], clicks=3)
    click(any_engine, "old", clock.now())
    clock.advance(MINUTE)
    train(runs)
    for number in range(3):
        assert table.due() == []
        clock.advance(MINUTE)
        click(any_engine, f"q{number}", clock.now())
    assert table.due() == ["default"]
    assert table.look(["default"])["default"].clicks == 3
    train(runs)
    assert table.due() == []


def test_clicks_of_agents_make_nothing_due(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    table = Timetable(any_engine, clock, every(DAY), lambda: ["default"], clicks=1)
    train(runs)
    clock.advance(MINUTE)
    click(any_engine, "q", clock.now(), surface="agent")
    assert table.due() == []


def test_a_collection_without_a_run_counts_from_its_first_list(any_engine: sa.Engine, clock: FrozenClock) -> None:
    table = Timetable(any_engine, clock, every(DAY), lambda: ["default"], clicks=2)
    assert table.look(["default"])["default"] == Due(None, 0, busy=False, now=False)
    for number in range(3):
        clock.advance(MINUTE)
        click(any_engine, f"q{number}", clock.now())
    assert table.due() == ["default"]


def test_a_cron_expression_says_when_also_over_a_weekend(any_engine: sa.Engine, runs: Runs, clock: FrozenClock) -> None:
    weekdays = by_cron("30 3 * * mon-fri")
    friday = datetime(2026, 1, 9, 3, 30, tzinfo=UTC)
    assert weekdays(friday) == datetime(2026, 1, 12, 3, 30, tzinfo=UTC)
    assert weekdays(friday - MINUTE) == friday
    train(runs)
    table = Timetable(any_engine, clock, weekdays, lambda: ["default"])
    trained = []
    for _ in range(24 * 14):
        clock.advance(timedelta(hours=1))
        if table.due():
            trained.append(clock.now())
            train(runs)
    assert len(trained) == 10
    assert {at.weekday() for at in trained} <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("expression", ["", "every day", "61 3 * * *", "30 3 * *"])
def test_what_is_no_cron_expression_is_refused_with_its_setting(expression: str) -> None:
    with pytest.raises(InvalidRequest, match="CLICKLOOP_SCHEDULE_CRON"):
        by_cron(expression)
