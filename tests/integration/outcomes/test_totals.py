"""What a run adds up to is the same by its stored outcomes and by folding lists and events as of any change."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from collector.api import (
    ExperimentRun,
    Ratio,
    RunTotals,
    UnitCounts,
    read_history,
    refolded_history,
    refolded_totals,
    stored_totals,
)
from collector.fold.signals import latency_bucket
from collector.quarantine.quarantine import Quarantine
from foundation.clock import FrozenClock
from foundation.contracts import ShownResult
from foundation.database.engine import reading
from tests.feedback import SETTINGS, SHOWN_AT, event
from tests.integration.outcomes.conftest import RUNS, Records, fold, search, world

DAY = 20458
CLICKS = Ratio("clicks", (("clicked", 1),), (("searches", 1),))
PREFERENCE = Ratio("preference", (("preferred", 1),), (("offered", 1),))
RATIOS = (
    CLICKS,
    PREFERENCE,
    Ratio("resolution", (("resolved", 2), ("abandoned", -1)), (("resolved", 1), ("unresolved", 1))),
    Ratio("closed", (("revenue", 1),), (("searches", 1),), until_day=DAY),
    Ratio("wishes", (("wish.searches", 1), ("call.events", 2)), (("searches", 1),)),
    Ratio("worth of a wish", (("wish.value", 1),), (("wish.events", 1),), until_day=DAY),
)
E1 = ExperimentRun("default", "e1", 1)


def everything(totals: RunTotals) -> list[Any]:
    return [
        totals.tabulate(RATIOS),
        totals.tabulate(RATIOS, had_evidence=True),
        totals.tabulate(RATIOS[:1], had_evidence=False),
        totals.tabulate([]),
        totals.tabulate(RATIOS[-2:], had_evidence=False),
        sorted(totals.per_unit(CLICKS)),
        sorted(totals.per_unit(RATIOS[-2])),
        totals.units(),
        totals.latencies(),
        totals.below({"control": 80, "treatment": 200, "interleaved": 81}),
        totals.change,
    ]


@pytest.mark.parametrize("seed", range(4))
def test_folding_again_gives_what_was_stored_at_every_change(
    any_engine: sa.Engine, clock: FrozenClock, seed: int
) -> None:
    coin = random.Random(seed)
    content = world(seed, searches=40)
    coin.shuffle(content)
    quarantine = Quarantine(any_engine, SETTINGS, clock)
    runs = [ExperimentRun("default", experiment, run) for experiment, run, _ in RUNS if experiment]
    start = SHOWN_AT + timedelta(days=2)
    seen: list[tuple[ExperimentRun, list[Any], Any]] = []
    while content:
        batch, content = content[: (size := coin.randint(5, 40))], content[size:]
        fold(any_engine, *batch)
        held = {one.unit for one in quarantine.list("default", 9) if one.state == "held"}
        if "u1" in held:
            quarantine.release("default", "u1", "ann")
        elif coin.random() < 0.5:
            quarantine.hold("default", "u1")
        with reading(any_engine) as connection:
            for run in runs:
                history = read_history(connection, run, start)
                seen.append((run, everything(stored_totals(connection, run)), history))

    with reading(any_engine) as connection:
        for run, before, history in seen:
            change = before[-1]
            assert everything(refolded_totals(connection, run, change, SETTINGS.lateness_days)) == before
            again = refolded_history(connection, run, start, change=change, lateness_days=SETTINGS.lateness_days)
            assert again == history


def test_units_are_counted_by_their_totals(any_engine: sa.Engine) -> None:
    fold(any_engine, *_two_arms())

    with reading(any_engine) as connection:
        totals = stored_totals(connection, E1)
        assert totals.tabulate([CLICKS]) == {
            "clicks": {"control": {(1, 2): 1, (0, 1): 2}, "treatment": {(1, 1): 1}},
        }
        assert totals.tabulate([CLICKS], had_evidence=True)["clicks"] == {"control": {(0, 1): 1}}
        assert totals.tabulate([PREFERENCE]) == {"preference": {}}


def test_units_in_two_arms_are_counted_apart_and_nowhere_else(any_engine: sa.Engine) -> None:
    fold(any_engine, *_two_arms())

    with reading(any_engine) as connection:
        totals = stored_totals(connection, E1)
        assert totals.units() == UnitCounts(
            units={"control": 3, "treatment": 1},
            mixed=1,
            searches={"control": 4, "treatment": 1},
            segments={("control", "page", True): 3, ("treatment", "page", True): 1},
        )
        assert {unit.unit for unit in totals.per_unit(CLICKS)} == {"u1", "u2", "u3", "u4"}
        bucket = latency_bucket(5.0)
        assert totals.latencies() == {"control": {bucket: 1, latency_bucket(80.0): 1}}
        assert totals.below({"control": bucket + 1, "treatment": 900}) == {"control": {(1, 2): 1}}


def test_an_interleaving_has_one_arm(any_engine: sa.Engine) -> None:
    results = (
        ShownResult("a", 1, 1.0),
        ShownResult("b", 2, 0.5, "treatment", 0.5),
        ShownResult("c", 3, 0.1, "control"),
    )
    fold(
        any_engine,
        *(search(f"q{n}", unit=f"u{n}", results=results, arm="interleaved") for n in range(3)),
        event("e1", "click", "q1", "b"),
        event("e2", "click", "q2", "c"),
    )

    with reading(any_engine) as connection:
        table = stored_totals(connection, E1).tabulate([PREFERENCE])["preference"]
    assert table == {"interleaved": {(0, 1260): 1, (1260, 1260): 1, (-1260, 1260): 1}}


def test_a_run_that_nobody_saw_adds_up_to_nothing(any_engine: sa.Engine) -> None:
    with reading(any_engine) as connection:
        assert everything(stored_totals(connection, E1)) == everything(refolded_totals(connection, E1, 0, 7))
        assert stored_totals(connection, E1).tabulate([CLICKS]) == {"clicks": {}}
        assert read_history(connection, E1, SHOWN_AT) == {}


def test_history_is_what_a_unit_did_in_the_days_before(any_engine: sa.Engine) -> None:
    day = 24 * 60
    fold(
        any_engine,
        search("now", minutes=0),
        search("before", minutes=-day, experiment="", run=0),
        search("clicked", minutes=-27 * day, experiment="", run=0),
        event("e1", "click", "clicked", "a", days=-27),
        search("long ago", minutes=-29 * day, experiment="", run=0),
        search("another", minutes=-day, unit="u2", experiment="", run=0),
    )

    with reading(any_engine) as connection:
        assert read_history(connection, E1, SHOWN_AT) == {"u1": (2, 1)}


def _two_arms() -> Records:
    return [
        search("q1", unit="u1", took_ms=5.0),
        search("q2", unit="u1", minutes=9, took_ms=80.0),
        search("q3", unit="u2", had_evidence=True),
        search("q4", unit="u3"),
        search("q5", unit="u4", arm="treatment"),
        search("q6", unit="u5", arm="treatment", took_ms=5.0),
        search("q7", unit="u5", minutes=9),
        event("e1", "click", "q1", "a"),
        event("e2", "click", "q5", "a"),
        event("e3", "click", "q6", "a"),
    ]
