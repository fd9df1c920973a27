"""Silence is no vote: searches without events leave every ranking as it was, and what acts at once is bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.people import Traces, forget
from collector.join.replay import replay
from collector.quarantine.quarantine import Quarantine
from collector.reads.evidence import read_changed, read_evidence
from collector.tables import evidence
from foundation.clock import FrozenClock
from foundation.contracts import PRIOR_CURVE, FeedbackEvent, Impression
from foundation.database.engine import transaction
from serving.ranking.click_boost import read_boosts
from tests.conftest import START
from tests.feedback import SETTINGS, count, event, impression

Content = Impression | FeedbackEvent


def fold(engine: sa.Engine, content: Sequence[Content]) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def lifts(engine: sa.Engine) -> dict[str, float]:
    """Return what the evidence of "toner" adds to its documents' scores at once."""
    queries, _ = read_changed(engine, "default", 0, START, SETTINGS.evidence_half_life_days)
    found = [read_boosts(query, PRIOR_CURVE) for query in queries if query.key == "toner"]
    return {
        name: lift
        for boosts in found
        for name, lift in zip(boosts.documents, boosts.bounded().tolist(), strict=True)
        if lift
    }


def honest(people: int = 5) -> list[Content]:
    """Return people who click the first hit."""
    return [
        one
        for number in range(people)
        for one in (
            impression(f"h{number}", unit=f"honest {number}", minutes=number),
            event(f"eh{number}", "click", f"h{number}", "a"),
        )
    ]


def clicks(document_id: str, units: Sequence[str], lists: int = 1) -> Iterator[Content]:
    for unit in units:
        for number in range(lists):
            query_id = unit if lists == 1 and unit.startswith("nobody") else f"{unit}/{number}"
            yield impression(query_id, unit=unit, minutes=60 + number)
            yield event(f"e/{query_id}", "click", query_id, document_id)


SILENT = {
    "forty people": [impression(f"s{number}", unit=f"silent {number}", minutes=30) for number in range(40)],
    "one person": [impression(f"s{number}", unit="silent", minutes=30 + number) for number in range(60)],
    "nobody": [impression(f"s{number}", unit=f"s{number}", minutes=30) for number in range(60)],
    "an agent": [impression(f"s{number}", unit="agent", surface="agent", minutes=30) for number in range(60)],
    "a chatbot": [impression(f"s{number}", unit=f"c{number}", surface="context", minutes=30) for number in range(60)],
}


@pytest.mark.parametrize("who", SILENT)
def test_searches_without_events_change_no_evidence(engine: sa.Engine, who: str) -> None:
    fold(engine, honest())
    digest, change = evidence_digest(engine, "default"), read_changed(engine, "default", 0, START, 30)[1]

    fold(engine, SILENT[who])

    assert evidence_digest(engine, "default") == digest
    assert read_changed(engine, "default", 0, START, 30)[1] == change, "no version's memory gives way to newer evidence"


@pytest.mark.parametrize("who", SILENT)
def test_an_app_that_sends_no_events_yet_has_no_evidence(engine: sa.Engine, who: str) -> None:
    fold(engine, SILENT[who])

    assert count(engine, evidence) == 0


def test_all_nameless_clicks_together_weigh_half_a_person(engine: sa.Engine) -> None:
    fold(engine, honest())
    alone = lifts(engine)

    fold(engine, [*clicks("c", [f"nobody {number}" for number in range(60)])])

    assert 0 < lifts(engine)["c"] <= 1.5 * math.log2(1.5)
    assert lifts(engine)["a"] > alone["a"] - 2.6, "one person's three lists take more"
    rows = {row.document_id: row for row in read_evidence(engine, "default", START, 30)}
    assert sum(rows["c"].clicked) == 60, "what is learned from in training keeps every list"


@pytest.mark.parametrize("people", [1, 2, 3, 10])
def test_people_lift_as_far_as_their_number_allows(engine: sa.Engine, people: int) -> None:
    fold(engine, [*clicks("c", [f"fan {number}" for number in range(people)], lists=3)])

    assert 0 < lifts(engine)["c"] <= 1.5 * math.log2(1 + people)
    assert all(lift >= -2 for lift in lifts(engine).values())


def test_one_person_of_many_weeks_is_one_person(engine: sa.Engine) -> None:
    week = 7 * 24 * 60
    for number in range(5):
        shown = impression(f"q{number}", unit="fan", minutes=number * week)
        fold(engine, [shown, event(f"e{number}", "click", f"q{number}", "c", days=7 * number)])

    assert 0 < lifts(engine)["c"] <= 1.5


def test_holding_and_erasing_undo_exactly(engine: sa.Engine, clock: FrozenClock) -> None:
    fold(engine, [*honest(), impression("h9", unit="honest 9", query="paper", minutes=3)])
    fold(engine, [event("eh9", "click", "h9", "b"), impression("h8", unit="honest 9", minutes=1)])
    before = evidence_digest(engine, "default")
    units = [f"fan {number}" for number in range(10)]
    fold(engine, [*clicks("c", units, lists=2)])
    after = evidence_digest(engine, "default")
    house = Quarantine(engine, SETTINGS, clock)

    for unit in units:
        house.hold("default", unit)
    assert evidence_digest(engine, "default") == before != after
    for unit in units:
        house.release("default", unit, "ann")
    assert evidence_digest(engine, "default") == after
    searches = [f"{unit}/{number}" for unit in units for number in range(2)]
    with transaction(engine) as connection:
        forget(connection, "default", Traces(searches, {}), SETTINGS)
    assert evidence_digest(engine, "default") == before


def test_without_the_click_that_showed_it_a_list_says_nothing_again(engine: sa.Engine) -> None:
    fold(engine, [impression("q1"), impression("q2", query="paper", minutes=9), event("e1", "click", "q2", "b")])
    with transaction(engine) as connection:
        forget(connection, "default", Traces([], {"e1": "q2"}), SETTINGS)
    left = evidence_digest(engine, "default")

    replay(engine, "default", SETTINGS)

    assert evidence_digest(engine, "default") == left
    assert read_evidence(engine, "default", START, 30) == [] or not any(
        row.tells for row in read_evidence(engine, "default", START, 30)
    )
