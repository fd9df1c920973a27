"""Outcomes are the same whatever the order in which their searches and events come, and whoever is held meanwhile."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from collector.fold.exposure import OutcomeKey, day_of
from collector.fold.signals import SearchSignals
from collector.join.people import Traces, forget
from collector.join.replay import replay
from collector.privacy.retention import Retention
from collector.quarantine.quarantine import Quarantine
from collector.tables import events, impressions, outcomes, quarantine_moves
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.database.leases import Leases
from foundation.settings import Settings
from tests.feedback import SETTINGS, SHOWN_AT, count, event
from tests.integration.outcomes.conftest import Records, fold, folded_at_once, search, stored, world

KEPT_28_DAYS = Settings(_env_file=None, retention_days=28)


def test_a_search_of_an_experiment_is_counted(any_engine: sa.Engine) -> None:
    fold(any_engine, search("q1", took_ms=5.0), event("e1", "click", "q1", "a"))

    signals, _, latencies = stored(any_engine)
    key = OutcomeKey("e1", 1, "u1", day_of(SHOWN_AT), "control", "page", known=True, had_evidence=False)
    assert signals == {key: SearchSignals(searches=1, clicked=1, clicks=1, clicked_first=1)}
    assert list(latencies.values()) == [1]


def test_a_search_outside_experiments_is_not(any_engine: sa.Engine) -> None:
    fold(any_engine, search("q1", experiment="", run=0), event("e1", "click", "q1", "a"))
    fold(any_engine, event("e2", "click", "q1", "b"))

    assert stored(any_engine) == ({}, {}, {})


def test_an_older_search_counts_for_its_user_in_run_0(any_engine: sa.Engine) -> None:
    fold(any_engine, search("q1", run=0, drawn_by=""))

    (key,) = stored(any_engine)[0]
    assert (key.run, key.unit) == (0, "u1")


def test_what_an_experiment_says_of_a_search_is_stored(any_engine: sa.Engine) -> None:
    drafted = (ShownResult("a", 1, 1.0, "control", 0.5, (1, 2)), ShownResult("b", 2, 0.5))
    said: dict[str, Any] = {
        "run": 2,
        "plan_hash": "abc",
        "first_difference": 1,
        "had_evidence": True,
        "known": True,
        "took_ms": 7.5,
    }
    fold(any_engine, search("q1", results=drafted, **said), event("e1", "click", "q1", "a"))

    with reading(any_engine) as connection:
        row = connection.execute(sa.select(impressions)).one()
        changes = connection.execute(sa.select(events.c.change)).scalar_one()
    assert {name: getattr(row, name) for name in said} == said
    assert [result.get("own_ranks") for result in row.results] == [[1, 2], None]
    assert (row.change, changes) == (1, 1)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_batching_gives_the_same(any_engine: sa.Engine, clock: FrozenClock, seed: int) -> None:
    coin = random.Random(seed)
    content = world(seed)
    coin.shuffle(content)
    quarantine = Quarantine(any_engine, SETTINGS, clock)
    held: set[str] = set()
    while content:
        batch, content = content[: (size := coin.randint(1, 20))], content[size:]
        fold(any_engine, *batch, *coin.choices(batch, k=3))
        unit = coin.choice(["u1", "u2", "u3", "nobody"])
        if unit in held:
            quarantine.release("default", unit, "ann")
            held.remove(unit)
        elif coin.random() < 0.4:
            quarantine.hold("default", unit)
            held.add(unit)

    shown = world(seed)
    assert stored(any_engine) == folded_at_once(shown, held)
    before = stored(any_engine)
    replay(any_engine, "default", SETTINGS)
    assert stored(any_engine) == before
    for unit in held:
        quarantine.release("default", unit, "ann")
    assert stored(any_engine) == folded_at_once(shown)


@pytest.mark.parametrize("seed", range(3))
def test_an_erasure_leaves_what_others_did(any_engine: sa.Engine, seed: int) -> None:
    content = world(seed)
    fold(any_engine, *content)
    shown = [one for one in content if isinstance(one, Impression)]
    gone = {one.query_id for one in shown if "u1" in (one.unit, one.drawn_by)}
    acts = {one.id: one.query_id for one in content if isinstance(one, FeedbackEvent) and one.user == "u2"}

    with transaction(any_engine) as connection:
        forget(connection, "default", Traces(gone, acts), SETTINGS)

    left = [one for one in content if one.query_id not in gone]
    assert stored(any_engine) == folded_at_once(one for one in left if getattr(one, "user", "") != "u2")


def test_what_is_kept_no_longer_does_not_count(any_engine: sa.Engine, clock: FrozenClock) -> None:
    old: Records = [search("old", unit="u1"), event("e1", "click", "old", "a"), search("last", minutes=3, query="ink")]
    recent = [search("new", minutes=60 * 24 * 50), search("other", minutes=60 * 24 * 50, unit="u2")]
    fold(any_engine, *old, *recent)
    now = FrozenClock(SHOWN_AT + timedelta(days=60))

    Retention(any_engine, KEPT_28_DAYS, now, Leases(any_engine, now, "here")).sweep(threading.Event())

    assert stored(any_engine) == folded_at_once(recent)


def test_a_hold_before_the_first_search_counts_nothing(any_engine: sa.Engine, clock: FrozenClock) -> None:
    quarantine = Quarantine(any_engine, SETTINGS, clock)
    quarantine.hold("default", "u1")
    fold(any_engine, search("q1"), event("e1", "click", "q1", "a"))
    assert count(any_engine, outcomes) == 0

    quarantine.release("default", "u1", "ann")

    assert stored(any_engine) == folded_at_once([search("q1"), event("e1", "click", "q1", "a")])
    with reading(any_engine) as connection:
        moves = connection.execute(sa.select(quarantine_moves.c.change, quarantine_moves.c.state)).all()
    assert moves == [(1, "held"), (3, "released")]
