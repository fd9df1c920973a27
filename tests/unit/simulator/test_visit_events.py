from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

import numpy as np

from collector.intake.schemas.native import parse
from collector.intake.schemas.parsed import Taken
from foundation.contracts import FeedbackEvent
from simulator.traffic import Visit
from simulator.users import PositionUser
from simulator.visit_events import Habits, Reader

VISIT = Visit(3, "q1", 0, "person-1", "session-1")
SHOWN = ["a", "b", "c"]
EAGER = Reader(PositionUser(noise=1, eta=0), Habits(dwell_share=1, rating_share=1))


def events_of(reader: Reader, grades: list[int], visit: Visit = VISIT, seed: int = 1) -> list[dict[str, Any]]:
    return reader.events(visit, "query-1", SHOWN, grades, np.random.default_rng(seed))


def values(grade: int, kind: str) -> list[float]:
    events = [event for seed in range(300) for event in events_of(EAGER, [grade] * 3, seed=seed)]
    return [event["value"] for event in events if event["type"] == kind]


def test_every_event_is_one_that_the_service_takes() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)

    parsed = [parse(event, "default", now) for event in events_of(EAGER, [1, 0, 1])]
    taken = [event for one in parsed if isinstance(one, Taken) for event in one.content]

    assert len(parsed) == len(taken) == 9
    assert all(isinstance(event, FeedbackEvent) for event in taken)
    assert len({event.id for event in taken if isinstance(event, FeedbackEvent)}) == 9


def test_the_same_answer_gets_the_same_events_and_another_answer_other_ids() -> None:
    first = events_of(EAGER, [1, 0, 1])

    assert first == events_of(EAGER, [1, 0, 1])
    again = EAGER.events(VISIT, "query-2", SHOWN, [1, 0, 1], np.random.default_rng(1))
    assert {event["id"] for event in first}.isdisjoint(event["id"] for event in again)


def test_relevant_documents_please_and_others_do_not() -> None:
    assert set(values(1, "rating")) == {4, 5}
    assert set(values(0, "rating")) == {1, 2}


def test_relevant_documents_are_read_longer_but_not_always() -> None:
    long, short = values(1, "dwell"), values(0, "dwell")

    assert 40 < median(long) < 50
    assert 13 < median(short) < 17
    assert min(long) < max(short)


def test_only_clicked_results_are_spoken_of() -> None:
    reader = Reader(PositionUser(noise=0, eta=0), Habits())

    assert {event["document_id"] for event in events_of(reader, [0, 1, 0])} == {"b"}
    assert events_of(reader, [0, 0, 0]) == []


def test_nobody_who_did_not_sign_in_is_named() -> None:
    assert all("user" not in event for event in events_of(EAGER, [1, 1, 1], replace(VISIT, user="")))


def test_people_say_at_the_end_whether_they_were_helped() -> None:
    reader = Reader(PositionUser(noise=0, eta=0), Habits(verdict_share=1))
    now = datetime(2026, 1, 5, tzinfo=UTC)

    helped, not_helped = (events_of(reader, grades)[-1] for grades in ([0, 1, 0], [0, 0, 0]))

    assert (helped["type"], not_helped["type"]) == ("resolved", "unresolved")
    assert all(isinstance(parse(event, "default", now), Taken) for event in (helped, not_helped))
