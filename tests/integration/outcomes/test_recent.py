"""The latest searches add up by unit in windows that end now, in an experiment or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from collector.api import Ratio, RecentWindow, read_recent
from collector.quarantine.quarantine import Quarantine
from foundation.clock import FrozenClock
from foundation.contracts import ShownResult
from foundation.database.engine import reading
from tests.feedback import SETTINGS, SHOWN_AT, event
from tests.integration.outcomes.conftest import fold, search

CLICKS = Ratio("clicks", (("clicked", 1),), (("searches", 1),))
NOW = SHOWN_AT + timedelta(days=8)
ALONE: dict[str, Any] = {"experiment": "", "run": 0, "arm": "champion"}


def read(engine: sa.Engine, limit: int = 100) -> tuple[RecentWindow, ...]:
    with reading(engine) as connection:
        return read_recent(connection, "default", NOW, limit=limit)


def test_windows_hold_ever_more_of_the_latest_searches(any_engine: sa.Engine) -> None:
    day = 24 * 60
    asked = [search(f"q{number}", unit=f"u{number % 2}", minutes=number * day, **ALONE) for number in range(8)]
    fold(any_engine, *asked, event("e", "click", "q7", "a", days=7, seconds=60))
    windows = read(any_engine)
    assert [(window.days, window.searches) for window in windows] == [(1.0, 1), (2.0, 2), (4.0, 4), (8.0, 8)]
    assert windows[-1].totals.tabulate([CLICKS]) == {"clicks": {"everybody": {(0, 4): 1, (1, 4): 1}}}
    assert windows[0].totals.tabulate([CLICKS]) == {"clicks": {"everybody": {(1, 1): 1}}}


def test_only_people_who_can_take_part_count(any_engine: sa.Engine, clock: FrozenClock) -> None:
    fold(
        any_engine,
        search("q1", **ALONE),
        search("q2", unit="q2", **ALONE),
        search("q3", surface="agent", **ALONE),
        search("q4", unit="held", **ALONE),
        search("q5", minutes=-60 * 24 * 60, **ALONE),
    )
    Quarantine(any_engine, SETTINGS, clock).hold("default", "held", "by hand")
    assert read(any_engine)[-1].searches == 1


def test_interleaved_lists_stand_apart_too(any_engine: sa.Engine) -> None:
    results = (ShownResult("a", 1, 1.0, "treatment"), ShownResult("b", 2, 0.5, "control"))
    fold(
        any_engine,
        search("q1", arm="interleaved", results=results),
        search("q2", minutes=1, arm="treatment"),
        event("e", "click", "q1", "a", seconds=60),
    )
    last = read(any_engine)[-1]
    preferred = Ratio("preference", (("preferred", 1),), (("offered", 1),))
    assert last.interleaved.units().searches == {"everybody": 1}
    assert last.totals.units().searches == {"everybody": 2}
    assert last.interleaved.tabulate([preferred])["preference"] == {"everybody": {(2520, 2520): 1}}


def test_no_more_than_the_limit_is_read_and_the_window_says_so(any_engine: sa.Engine) -> None:
    fold(any_engine, *(search(f"q{number}", minutes=number * 24 * 60, **ALONE) for number in range(8)))
    last = read(any_engine, limit=2)[-1]
    assert (last.days, last.searches) == (2.0, 2)


def test_an_empty_collection_has_no_window(any_engine: sa.Engine) -> None:
    assert read(any_engine) == ()
