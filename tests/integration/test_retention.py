"""Old feedback goes, what was learned from it stays, and nothing counts twice or half."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.privacy.retention import LEASE, Retention
from collector.tables import events, impressions
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.database.leases import LeaseLost, Leases
from foundation.settings import Settings

SETTINGS = Settings(_env_file=None, retention_days=28)
NOW = datetime(2026, 1, 7, tzinfo=UTC)
OLD, RECENT = NOW - timedelta(days=60), NOW - timedelta(days=2)


def search(query_id: str, at: datetime, unit: str = "u1") -> list[Impression | FeedbackEvent]:
    results = (ShownResult("a", 1, 1.0), ShownResult("b", 2, 0.5))
    return [
        Impression("default", query_id, "toner", unit, "v-1", results, at),
        FeedbackEvent("default", f"{query_id}/click", "click", query_id, "a", unit, 0.0, at, at),
    ]


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def ids(engine: sa.Engine, column: sa.Column[Any]) -> set[str]:
    with reading(engine) as connection:
        return set(connection.execute(sa.select(column)).scalars())


def sweep(engine: sa.Engine, holder: str = "here") -> dict[str, int]:
    clock = FrozenClock(NOW)
    return dict(Retention(engine, SETTINGS, clock, Leases(engine, clock, holder)).sweep(threading.Event()))


def test_old_weeks_go_and_their_evidence_stays(any_engine: sa.Engine) -> None:
    fold(any_engine, *search("old", OLD), *search("recent", RECENT))
    before = evidence_digest(any_engine, "default")

    assert sweep(any_engine) == {"impressions": 1, "events": 1}

    assert ids(any_engine, impressions.c.query_id) == {"recent"}
    assert ids(any_engine, events.c.id) == {"recent/click"}
    assert evidence_digest(any_engine, "default") == before
    assert sweep(any_engine) == {}


def test_a_replay_counts_only_the_weeks_that_are_kept(any_engine: sa.Engine) -> None:
    fold(any_engine, *search("old", OLD), *search("recent", RECENT))
    before = evidence_digest(any_engine, "default")
    sweep(any_engine)

    assert replay(any_engine, "default", SETTINGS) == 1

    assert evidence_digest(any_engine, "default") == before


def test_what_comes_again_for_a_closed_week_counts_for_nothing(any_engine: sa.Engine) -> None:
    fold(any_engine, *search("old", OLD))
    before = evidence_digest(any_engine, "default")
    sweep(any_engine)

    fold(any_engine, *search("old", OLD), *search("other", OLD, "u2"))

    assert evidence_digest(any_engine, "default") == before
    assert ids(any_engine, impressions.c.query_id) == set()


def test_a_week_stays_whole_until_its_last_day_is_too_old(any_engine: sa.Engine) -> None:
    edge = NOW - timedelta(days=29)
    fold(any_engine, *search("edge", edge))

    assert sweep(any_engine) == {}


def test_events_that_never_found_their_search_go_too(any_engine: sa.Engine) -> None:
    fold(any_engine, *search("old", OLD)[1:], *search("recent", RECENT)[1:])

    assert sweep(any_engine) == {"events": 1}
    assert ids(any_engine, events.c.id) == {"recent/click"}


def test_thousands_go_in_batches(engine: sa.Engine) -> None:
    content = [one for number in range(1100) for one in search(f"q{number}", OLD, f"u{number}")]
    fold(engine, *content)

    assert sweep(engine) == {"impressions": 1100, "events": 1100}


def test_one_process_works_at_a_time(any_engine: sa.Engine) -> None:
    fold(any_engine, *search("old", OLD))
    other = Leases(any_engine, FrozenClock(NOW), "there")
    lease = other.take(LEASE, timedelta(minutes=1))
    assert lease is not None

    assert sweep(any_engine) == {}

    other.give(lease)
    assert sweep(any_engine) != {}


def test_one_that_was_paused_removes_nothing_any_more(any_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fold(any_engine, *search("old", OLD))
    clock = FrozenClock(NOW)
    paused = Leases(any_engine, clock, "here")
    lease = paused.take(LEASE, timedelta(minutes=1))
    clock.advance(timedelta(minutes=1))
    assert Leases(any_engine, clock, "there").take(LEASE, timedelta(minutes=1))
    monkeypatch.setattr(paused, "take", lambda *_: lease)  # it was paused after it had taken it

    with pytest.raises(LeaseLost):
        Retention(any_engine, SETTINGS, clock, paused).sweep(threading.Event())

    assert ids(any_engine, events.c.id) == {"old/click"}


def test_days_that_may_still_count_cannot_be_removed() -> None:
    with pytest.raises(ValidationError, match="at least CLICKLOOP_LATENESS_DAYS and a week"):
        Settings(_env_file=None, retention_days=10)
