"""What these tests share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ab_testing.api import Assignment, Assignments, ExperimentPlan, Experiments, Visitor, interleave
from collector.tables import impressions
from foundation.clock import FrozenClock
from foundation.database.engine import transaction

USERS = [f"user-{number}" for number in range(240)]


@pytest.fixture
def experiments(any_engine: sa.Engine, clock: FrozenClock) -> Experiments:
    return Experiments(any_engine, clock)


@pytest.fixture
def assignments(any_engine: sa.Engine, clock: FrozenClock) -> Assignments:
    return Assignments(any_engine, clock)


def make_plan(**changes: Any) -> ExperimentPlan:
    values: dict[str, Any] = {"kind": "ab", "planned_searches": 1000, "min_days": 3.0, "max_days": 7.0}
    return ExperimentPlan(name="adapter", control="v-1", treatment="v-2", **values | changes)


def started(experiments: Experiments, assignments: Assignments, collection: str = "default", **plan: Any) -> str:
    experiment = experiments.create(collection, make_plan(**plan))
    experiments.start(collection, experiment.id)
    assignments.refresh()
    return experiment.id


class Traffic:
    """A day's searches of every user, as serving and the collector would leave them in SQL."""

    def __init__(self, engine: sa.Engine, assignments: Assignments) -> None:
        self._engine = engine
        self._assignments = assignments
        self._searches = 0

    def day(self, at: datetime, click_percent: dict[str, int]) -> None:
        """Every user searches once; how many in a hundred click depends on the arm or the team's winner."""
        rows = [self._row(number, user, at, click_percent) for number, user in enumerate(USERS)]
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(impressions), rows)

    def _row(self, number: int, user: str, at: datetime, click_percent: dict[str, int]) -> dict[str, Any]:
        self._searches += 1
        given = self._assignments.assign("default", Visitor(user=user), f"query {self._searches}")
        assert given is not None
        draw = (number * 37 + self._searches * 61) % 100
        teams = teams_of(given)
        if given.arm == "interleaved":
            winner = "treatment" if draw < click_percent["treatment"] else "control"
            clicked = [teams.index(winner) + 1]
        else:
            clicked = [1] if draw < click_percent[given.arm] else []
        return impression(f"q-{self._searches}", user, given.experiment, given.arm, at, clicked, teams)


def teams_of(given: Assignment) -> list[str]:
    if given.arm != "interleaved":
        return [""] * 3
    return [slot.team for slot in interleave(["a", "b", "c"], ["a", "c", "b"], 3, given.seed)]


def impression(
    query_id: str, unit: str, experiment: str, arm: str, at: datetime, clicked: Sequence[int], teams: Sequence[str]
) -> dict[str, Any]:
    results = [
        {"id": f"d{rank}", "rank": rank, "score": 1 / rank, "team": team, "propensity": 1.0}
        for rank, team in enumerate(teams, start=1)
    ]
    row: dict[str, Any] = {column.name: column_default(column) for column in impressions.columns}
    return row | {
        "collection": "default",
        "query_id": query_id,
        "unit": unit,
        "experiment": experiment,
        "arm": arm,
        "results": results,
        "outcome": {"clicked": list(clicked)},
        "clicks": len(clicked),
        "at": at,
    }


def column_default(column: sa.Column[Any]) -> Any:
    return 0 if isinstance(column.type, sa.Integer | sa.Float | sa.Boolean) else ""


@pytest.fixture
def traffic(any_engine: sa.Engine, assignments: Assignments) -> Traffic:
    return Traffic(any_engine, assignments)


def live(
    experiments: Experiments, experiment: str, traffic: Traffic, clock: FrozenClock, click_percent: dict[str, int]
) -> list[str]:
    """Let days pass, with two looks a day, until a verdict; return the verdicts of all looks."""
    seen: list[str] = []
    for _ in range(8):
        traffic.day(clock.now(), click_percent)
        for _ in range(2):
            clock.advance(timedelta(hours=12))
            card = experiments.look("default", experiment)
            seen.append(card.verdict.decision)
            if card.verdict.final:
                return seen
    return seen
