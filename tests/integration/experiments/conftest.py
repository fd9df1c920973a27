"""What these tests share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
import sqlalchemy as sa

from ab_testing.api import INTERLEAVED, Assignment, Assignments, Experiment, ExperimentPlan, Experiments, Visitor
from ab_testing.ranking.team_draft import interleave
from collector.join.batch import fold_batch
from foundation.clock import FrozenClock
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.settings import Settings

USERS = [f"user-{number}" for number in range(240)]
SETTINGS = Settings()


@pytest.fixture
def experiments(any_engine: sa.Engine, clock: FrozenClock) -> Experiments:
    return Experiments(any_engine, clock)


@pytest.fixture
def assignments(any_engine: sa.Engine, clock: FrozenClock) -> Assignments:
    return Assignments(any_engine, clock)


def make_plan(**changes: Any) -> ExperimentPlan:
    values: dict[str, Any] = {"kind": "ab", "planned_searches": 1000, "min_days": 3.0, "max_days": 7.0}
    versions = {"control": "v-1", "treatment": "v-2"}
    return ExperimentPlan(name="adapter", **versions | values | changes)


def started(experiments: Experiments, assignments: Assignments, collection: str = "default", **plan: Any) -> str:
    experiment = experiments.create(collection, make_plan(**plan))
    experiments.start(collection, experiment.id)
    assignments.refresh()
    return experiment.id


@dataclass(frozen=True)
class Search:
    """One search of an experiment, and what its user did with the list.

    Attributes:
        clicked: Ranks clicked.
        rated: Stars for the first result, 0 for none.
        verdict: "resolved", "unresolved" or "".
        rankings: How many rankings are interleaved in the list.
    """

    query_id: str
    unit: str
    arm: str
    at: datetime
    clicked: Sequence[int] = ()
    teams: Sequence[str] = ("", "", "")
    rated: int = 0
    verdict: Literal["resolved", "unresolved", ""] = ""
    first_difference: int = 0
    rankings: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)

    def records(self, experiment: Experiment) -> Iterable[Impression | FeedbackEvent]:
        """Yield the records that serving and the app would log of it."""
        results = tuple(
            ShownResult(f"d{rank}", rank, 1 / rank, team=team, own_ranks=(rank,) * self.rankings)
            for rank, team in enumerate(self.teams, start=1)
        )
        shown: dict[str, Any] = {
            "collection": experiment.collection,
            "query_id": self.query_id,
            "query": f"query of {self.query_id}",
            "unit": self.unit,
            "version": "v-1",
            "results": results,
            "at": self.at,
            "experiment": experiment.id,
            "arm": self.arm,
            "drawn_by": self.unit,
            "run": experiment.run,
            "plan_hash": experiment.plan.hash,
            "first_difference": self.first_difference,
            "known": True,
        }
        yield Impression(**shown | dict(self.more))
        for rank in self.clicked:
            yield self.event(experiment.collection, "click", f"d{rank}")
        if self.rated:
            yield self.event(experiment.collection, "rating", "d1", float(self.rated))
        if self.verdict:
            yield self.event(experiment.collection, self.verdict, "")

    def event(
        self, collection: str, kind: EventType, document: str, value: float = 0.0, after_s: float = 5.0
    ) -> FeedbackEvent:
        """Return an event about its list."""
        at = self.at + timedelta(seconds=after_s)
        id_ = f"{self.query_id}/{kind}/{document}"
        return FeedbackEvent(collection, id_, kind, self.query_id, document, self.unit, value, at, at)


class Traffic:
    """Searches as serving logs them and the collector folds them."""

    def __init__(self, engine: sa.Engine, experiments: Experiments, assignments: Assignments) -> None:
        self._engine = engine
        self._experiments = experiments
        self._assignments = assignments
        self._searches = 0

    def day(self, at: datetime, click_percent: dict[str, int]) -> None:
        """Every user searches once; how many in a hundred click depends on the arm or the team's winner."""
        [experiment] = self._assignments.running("default")
        self.take(experiment, [self._search(number, user, at, click_percent) for number, user in enumerate(USERS)])

    def take(self, experiment: Experiment, searches: Iterable[Search]) -> None:
        """Fold searches of an experiment with all that their users did."""
        self.fold(record for search in searches for record in search.records(experiment))

    def fold(self, records: Iterable[Impression | FeedbackEvent]) -> None:
        """Fold records."""
        with transaction(self._engine) as connection:
            fold_batch(connection, list(records), SETTINGS)

    def _search(self, number: int, user: str, at: datetime, click_percent: dict[str, int]) -> Search:
        self._searches += 1
        given = self._assignments.assign("default", Visitor(user=user), f"query {self._searches}")
        assert given is not None
        draw = (number * 37 + self._searches * 61) % 100
        teams = teams_of(given)
        if given.arm == INTERLEAVED:
            first = click_percent["treatment"]
            second = first + click_percent.get("treatment_2", 0)
            winner = "treatment" if draw < first else "treatment_2" if draw < second else "control"
            clicked, difference = [teams.index(winner) + 1], 2
        else:
            clicked, difference = [1] if draw < click_percent[given.arm] else [], 0
        id_, sides = f"q-{self._searches}", len(given.arms)
        return Search(id_, user, given.arm, at, clicked, teams, first_difference=difference, rankings=sides)


def teams_of(given: Assignment) -> list[str]:
    if given.arm != INTERLEAVED:
        return [""] * 3
    rankings = [["a", "b", "c", "d"], ["a", "c", "b", "d"], ["a", "d", "b", "c"]][: len(given.arms)]
    return [slot.team for slot in interleave(rankings, 4, given.seed)]


@pytest.fixture
def traffic(any_engine: sa.Engine, experiments: Experiments, assignments: Assignments) -> Traffic:
    return Traffic(any_engine, experiments, assignments)


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
