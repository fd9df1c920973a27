"""Users in quarantine do not count, exactly; released, they count as if they had never been there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.quarantine.quarantine import Quarantine, read_activities
from collector.tables import events, evidence, quarantine
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict, NotFound
from foundation.settings import Settings

SETTINGS = Settings(_env_file=None)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
Content = Impression | FeedbackEvent


def searched(
    unit: str, number: int, *, query: str = "toner", seconds: float = 0.0, dwell: bool = True
) -> list[Content]:
    """Return one search of a user, a click on its second hit, and a stay there."""
    at = NOW - timedelta(hours=6) + timedelta(seconds=seconds)
    query_id = f"{unit}-{number}"
    results = tuple(ShownResult(document_id, rank, 1.0 / rank) for rank, document_id in enumerate("abc", 1))
    content: list[Content] = [
        Impression("default", query_id, query, unit, "v-1", results, at),
        FeedbackEvent("default", f"c-{query_id}", "click", query_id, "b", unit, 0.0, at, at),
    ]
    if dwell:
        content.append(FeedbackEvent("default", f"d-{query_id}", "dwell", query_id, "b", unit, 40.0, at, at))
    return content


def people(count: int = 40) -> list[Content]:
    return [
        one
        for number in range(count)
        for turn in range(1 + number % 3)
        for one in searched(f"u{number}", turn, query=f"query {number % 7}", seconds=97 * number + 1000 * turn)
    ]


def bot(clicks: int = 500, name: str = "bot") -> list[Content]:
    return [
        one
        for turn in range(clicks)
        for one in searched(name, turn, query=f"query {turn % 300}", seconds=5 * turn, dwell=False)
    ]


def fold(engine: sa.Engine, content: Iterable[Content]) -> None:
    given = list(content)
    for start in range(0, len(given), 500):
        with transaction(engine) as connection:
            fold_batch(connection, given[start : start + 500], SETTINGS)


def digest_of(engine: sa.Engine) -> str:
    return evidence_digest(engine, "default")


@pytest.fixture
def house(any_engine: sa.Engine) -> Quarantine:
    return Quarantine(any_engine, SETTINGS, FrozenClock(NOW))


def test_evidence_is_what_it_would_be_without_the_held_user(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, people())
    clean = digest_of(any_engine)
    fold(any_engine, bot())
    assert digest_of(any_engine) != clean

    assert house.review("default") == ["bot"]

    assert digest_of(any_engine) == clean
    replay(any_engine, "default", SETTINGS)
    assert digest_of(any_engine) == clean, "a replay keeps the quarantine"


def test_what_a_held_user_does_next_does_not_count(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, people())
    clean = digest_of(any_engine)
    house.hold("default", "bot")

    fold(any_engine, bot(30))

    assert digest_of(any_engine) == clean


def test_a_released_user_counts_as_if_never_held(any_engine: sa.Engine, house: Quarantine) -> None:
    content = [*people(), *bot()]
    fold(any_engine, content[: len(content) - 60])
    house.review("default")
    fold(any_engine, content[len(content) - 60 :])

    released = house.release("default", "bot", "me")

    assert (released.state, released.released_by) == ("released", "me")
    after = digest_of(any_engine)
    replay(any_engine, "default", SETTINGS)
    assert digest_of(any_engine) == after
    with transaction(any_engine) as connection:
        connection.execute(sa.delete(quarantine))
    replay(any_engine, "default", SETTINGS)
    assert digest_of(any_engine) == after


def test_the_same_marks_do_not_hold_a_released_user_again(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, [*people(), *bot()])
    house.review("default")
    house.release("default", "bot", "me")

    assert house.review("default") == []
    assert [suspect.state for suspect in house.list("default", 10)] == ["released"]


def test_a_mark_that_is_new_does(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, [*people(), *bot()])
    house.hold("default", "bot")
    house.release("default", "bot", "me")

    assert house.review("default") == ["bot"], "by hand was no mark of a machine"


def test_reasons_can_be_read(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, [*people(), *bot()])
    house.review("default")

    (suspect,) = house.list("default", 10)

    assert suspect.since == NOW
    assert suspect.score >= 3
    assert {"rate", "no dwell"} <= {reason["mark"] for reason in suspect.reasons}
    assert "500 clicks, where" in suspect.reasons[0]["words"]


def test_holding_or_releasing_twice_is_a_conflict_and_changes_nothing(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, [*people(), *bot(30)])
    counted = digest_of(any_engine)
    with pytest.raises(NotFound, match="never held"):
        house.release("default", "bot", "me")
    house.hold("default", "bot")
    with pytest.raises(Conflict, match="held already"):
        house.hold("default", "bot")
    house.release("default", "bot", "me")
    with pytest.raises(Conflict, match=r"released already; released_by says 'me'$"):
        house.release("default", "bot", "me")
    house.hold("default", "bot")
    house.release("default", "bot", "by hand")
    with pytest.raises(Conflict, match=r"released already; released_by says 'by hand'$"):
        house.release("default", "bot", "me")

    assert digest_of(any_engine) == counted


def test_people_are_not_held(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, people(120))

    assert house.review("default") == []


def test_a_look_at_everything_finds_the_collections_with_feedback(any_engine: sa.Engine, house: Quarantine) -> None:
    fold(any_engine, [*people(), *bot()])

    house.review_all()

    assert [suspect.unit for suspect in house.list("default", 10)] == ["bot"]


def test_an_activity_is_what_the_stored_lists_say(any_engine: sa.Engine) -> None:
    fold(any_engine, [*searched("u", 1, seconds=0), *searched("u", 2, seconds=30, dwell=False)])

    with reading(any_engine) as connection:
        found = read_activities(connection, "default", NOW - timedelta(days=1))["u"]

    assert (found.lists, found.clicked, found.clicks, found.queries, found.documents) == (2, 2, 2, 1, 1)
    assert (found.read, found.gaps_s) == (1, (30.0,))


def test_distrusted_events_are_kept_and_do_not_count(any_engine: sa.Engine) -> None:
    shown, click = searched("u", 1, dwell=False)
    assert isinstance(click, FeedbackEvent)
    doubted = FeedbackEvent(
        "default", "x", "click", click.query_id, "a", "u", 0.0, click.at, click.at, distrusted="unsigned"
    )
    fold(any_engine, [shown, doubted])

    replay(any_engine, "default", SETTINGS)

    with reading(any_engine) as connection:
        rows = connection.execute(sa.select(evidence)).all()
        kept = connection.execute(sa.select(events.c.id)).scalars().all()
    assert (rows, kept) == ([], ["x"])


@pytest.mark.parametrize("any_engine", ["sqlite"], indirect=True)
@property_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["fold", "hold", "release"]), st.integers(0, 3)), max_size=14))
def test_in_any_order_evidence_equals_a_replay(any_engine: sa.Engine, steps: list[tuple[str, int]]) -> None:
    house = Quarantine(any_engine, SETTINGS, FrozenClock(NOW))
    for number, (step, who) in enumerate(steps):
        unit = f"u{who}"
        try:
            if step == "fold":
                fold(any_engine, searched(unit, number, query=f"q{number % 2}", seconds=number))
            elif step == "hold":
                house.hold("default", unit)
            else:
                house.release("default", unit, "me")
        except (Conflict, NotFound):
            continue
    live = digest_of(any_engine)
    replay(any_engine, "default", SETTINGS)

    assert digest_of(any_engine) == live
