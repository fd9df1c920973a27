"""Lists of other engines count under the arm that their unit is in, or are refused by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ab_testing.design.arm import Arm
from ab_testing.design.assignment import Visitor
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.exposures.exposure import ExposureReader
from ab_testing.traffic.assignments import Assignments
from collector.api import Taken
from foundation.clock import FrozenClock
from foundation.contracts import EXTERNAL, Impression
from tests.people import PRIVACY

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(hours=2)
ARMS = (Arm("control", "champion"), Arm("solr", engine="solr 9"))


def reader(**plan: Any) -> ExposureReader:
    sizes: dict[str, Any] = {"planned_searches": 10, "min_days": 0, "max_days": 9}
    made = ExperimentPlan(name="n", **{"kind": "ab", "arms": ARMS, **sizes, **plan})
    experiment = Experiment("shop", "e", made, "running", 3, START, started_at=START)
    assignments = Assignments(sa.create_engine("sqlite://"), FrozenClock(NOW))
    assignments.replace([experiment])
    return ExposureReader(experiment, assignments, PRIVACY, NOW)


def drawn(reading: ExposureReader, arm: str) -> str:
    """Return a user that the experiment draws for an arm."""
    users = (f"u{number}" for number in range(100))
    found = ((user, reading.assignments.assign("shop", Visitor(user=PRIVACY.person(user)))) for user in users)
    return next(user for user, assignment in found if assignment and assignment.arm == arm)


def exposure(**changes: Any) -> dict[str, Any]:
    return {"arm": "solr", "query": "toner", "results": ["b", "a", "b"], "user": "u1"} | changes


def accept(reading: ExposureReader, value: Any) -> Impression:
    parsed = reading.read(value)
    assert isinstance(parsed, Taken), parsed
    (shown,) = parsed.content
    assert isinstance(shown, Impression)
    return shown


def faults(reading: ExposureReader, value: Any) -> list[str]:
    parsed = reading.read(value)
    assert isinstance(parsed, list), parsed
    return [fault.field for fault in parsed]


def test_a_list_of_another_engine_says_all_that_a_verdict_rests_on() -> None:
    reading = reader()
    user = drawn(reading, "solr")
    shown = accept(reading, exposure(user=user, query_id="q1", took_ms=12.5))

    said = (shown.experiment, shown.run, shown.plan_hash, shown.arm, shown.version)
    assert said == ("e", 3, reading.experiment.plan.hash, "solr", EXTERNAL)
    assert [(one.id, one.rank) for one in shown.results] == [("b", 1), ("a", 2)]
    assert (shown.at, shown.known, shown.took_ms) == (NOW, True, 12.5)
    kept = PRIVACY.conceal(shown)
    assert isinstance(kept, Impression)
    assert kept.unit == shown.drawn_by == PRIVACY.person(user)


def test_a_unit_in_another_arm_or_in_none_is_refused() -> None:
    reading = reader(coverage=0.5)
    assert faults(reading, exposure(user=drawn(reading, "control"))) == ["arm"]
    visitors = {user: Visitor(user=PRIVACY.person(user)) for user in (f"u{number}" for number in range(100))}
    outside = next(user for user, visitor in visitors.items() if not reading.assignments.assign("shop", visitor))
    assert faults(reading, exposure(user=outside)) == ["arm"]


def test_where_the_app_assigns_its_word_counts_and_nobody_is_drawn() -> None:
    reading = reader(assigned_by="app", arms=(Arm("old", engine="old"), Arm("solr", engine="solr 9")))
    people = [f"u{number}" for number in range(20)]
    assert all(accept(reading, exposure(user=user)).arm == "solr" for user in people)
    assert accept(reading, exposure(arm="old")).arm == "old"
    assert all(reading.assignments.assign("shop", Visitor(user=user)) is None for user in people)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"arm": "lucene"}, "arm"),
        ({"arm": "control"}, "arm"),
        ({"query": " "}, "query"),
        ({"query": "\x00"}, "query"),
        ({"results": None}, "results"),
        ({"results": ["a"] * 1001}, "results"),
        ({"results": ["a", ""]}, "results.1"),
        ({"user": "u" * 257}, "user"),
        ({"user": None}, "user"),
        ({"at": "2026-11-01T01:00:00"}, "at"),
        ({"at": (START - timedelta(seconds=1)).isoformat()}, "at"),
        ({"at": (NOW + timedelta(minutes=11)).isoformat()}, "at"),
        ({"surface": "agent"}, "surface"),
        ({"took_ms": -1}, "took_ms"),
        ({"version": "v-1"}, "version"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    assert faults(reader(assigned_by="app", surfaces=("page",)), exposure(**changes)) == [field]


@pytest.mark.parametrize("value", [None, 7, "solr", [], {}])
def test_what_is_no_exposure_is_refused(value: Any) -> None:
    assert faults(reader(), value)


def test_without_an_id_a_list_gets_the_same_one_in_every_retry() -> None:
    reading = reader(assigned_by="app", unit="query")
    first, again = accept(reading, exposure()), accept(reading, exposure())
    other = accept(replace(reading, experiment=replace(reading.experiment, id="e2")), exposure())
    assert first.query_id == again.query_id != other.query_id
    assert (first.drawn_by, PRIVACY.conceal(first).query_id) == (first.query_id, first.query_id)
