"""The page of a quarter tells the worst week, the end, and what people said."""

from __future__ import annotations

from typing import Any

import pytest

from clickloop.cli.projects.experience import SaidVisit
from clickloop.cli.projects.quarter_page import MeasuredWeek, QuarterReport, make_page

RUNS: list[dict[str, Any]] = [
    {"id": "1", "state": "promoted", "version": "v-1", "report": {}},
    {"id": "2", "state": "refused", "version": "v-2", "report": {}},
]


def week(number: int, learned: float, version: str = "v-0", *, poisoned: bool = False) -> MeasuredWeek:
    return MeasuredWeek(
        number=number,
        articles=10,
        changed=2,
        searches=300,
        poisoned=poisoned,
        first={"q1": 0.5, "q2": 0.7},
        learned={"q1": learned, "q2": learned + 0.2},
        version=version,
        runs=RUNS,
        seconds=60.0,
    )


def report(*weeks: MeasuredWeek) -> QuarterReport:
    said = [SaidVisit(person, ((3.0,), (4.0,)), ((0.0,), ())) for person in range(4)]
    return QuarterReport(12, 300, weeks, said)


def test_every_week_is_told_with_its_interval() -> None:
    page = make_page("help", report(week(1, 0.5), week(2, 0.495, poisoned=True), week(3, 0.6, "v-1")), seed=0)
    first, second, third = page.tables[0].rows
    assert first[3:7] == ("0", "0.6000", "0.6000", "+0.0000")
    assert second[0] == "2, poisoned"
    assert third[3] == "1"
    assert third[6:] == ("+0.1000", "+0.1000 to +0.1000")
    assert "below the first ranking: never; the worst week, 2: -0.0050, the last: +0.1000" in page.notes[0]
    assert page.notes[1] == "Training runs: 1 promoted, 1 refused. False people came in week 2."
    assert page.facts["ends"] == pytest.approx(0.1)
    assert list(page.pictures) == ["quarter"]


def test_a_week_that_was_too_bad_is_named() -> None:
    page = make_page("help", report(week(1, 0.5), week(2, 0.4)), seed=0)
    assert "below the first ranking: in week 2" in page.notes[0]
    assert "Nobody lied." in page.notes[1]


def test_what_people_said_is_compared_where_they_said_it() -> None:
    stars, resolved = make_page("help", report(week(1, 0.5)), seed=0).tables[1].rows
    assert stars == ("CSAT, stars", "3.0000", "4.0000", "+1.0000", "+1.0000 to +1.0000")
    assert resolved[1:] == ("nobody said", "nobody said", "", "")
