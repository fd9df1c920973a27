"""A flood of false clicks barely moves the labels; what sybils do to them is measured and printed.

A seeded world: queries with graded documents, people who click by position and relevance, and
attackers who click one worthless document in every list that they can get.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from scipy.stats import kendalltau

from collector.click_models.labels import label
from collector.join.batch import fold_batch
from collector.quarantine.quarantine import Quarantine
from collector.tables import evidence, impressions
from foundation.clock import FrozenClock
from foundation.contracts import Evidence, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.settings import Settings
from simulator.users import PositionUser

START = datetime(2026, 1, 5, tzinfo=UTC)
QUERIES, DOCUMENTS, PEOPLE, LISTS = 20, 10, 200, 6
GRADES = np.array([3, 2, 2, 1, 1, 0, 0, 0, 0, 0])
WORTHLESS = f"d{DOCUMENTS - 1}"
PERSON = PositionUser(noise=0.1, eta=1.0, max_grade=3)
SETTINGS = Settings(_env_file=None)

Content = Impression | FeedbackEvent


class World:
    """People and attackers of one seed; lists are ranked nearly well, differently each time."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._lists = 0

    def people(self, names: Sequence[str]) -> list[Content]:
        """Return a day of people: searches far apart, and a stay on two of three documents opened."""
        content: list[Content] = []
        for unit in names:
            second = self.rng.uniform(0, 20_000)
            for _ in range(1 + self.rng.poisson(LISTS - 1)):
                second += self.rng.lognormal(4.0, 1.5)
                order = self._any_order()
                shown = self._shown(unit, self._any_query(), order, second)
                content.append(shown)
                for rank in PERSON.clicks([int(GRADES[document]) for document in order], self.rng):
                    content += self._opened(shown, rank, read=bool(self.rng.random() < 0.67))
        return content

    def bots(self, names: Sequence[str], clicks: int, *, careful: bool) -> list[Content]:
        """Return as many clicks of each bot, one every four seconds or so; careful ones feign reading."""
        content: list[Content] = []
        for unit in names:
            second = 0.0
            for turn in range(clicks):
                second += self.rng.uniform(3.9, 4.1)
                content += self._attack(unit, turn % QUERIES, second, read=careful and bool(self.rng.random() < 0.67))
        return content

    def sybils(self, names: Sequence[str], clicks: int) -> list[Content]:
        """Return clicks of attackers who pace themselves as people do, stay included."""
        content: list[Content] = []
        for unit in names:
            second = self.rng.uniform(0, 20_000)
            for _ in range(clicks):
                second += self.rng.lognormal(4.0, 1.5)
                content += self._attack(unit, self._any_query(), second, read=True)
        return content

    def _attack(self, unit: str, query: int, second: float, *, read: bool = False) -> list[Content]:
        shown = self._shown(unit, query, self._any_order(), second)
        rank = next(result.rank for result in shown.results if result.id == WORTHLESS)
        return [shown, *self._opened(shown, rank, read=read)]

    def _any_order(self) -> list[int]:
        return [int(place) for place in np.argsort(-GRADES - self.rng.gumbel(0, 1.0, DOCUMENTS))]

    def _any_query(self) -> int:
        return int(self.rng.integers(QUERIES))

    def _shown(self, unit: str, query: int, order: Sequence[int], second: float) -> Impression:
        self._lists += 1
        results = tuple(ShownResult(f"d{document}", rank, 0.0) for rank, document in enumerate(order, 1))
        at = START + timedelta(seconds=float(second))
        return Impression("default", f"q{self._lists}", f"query {query}", unit, "v-1", results, at)

    def _opened(self, shown: Impression, rank: int, *, read: bool) -> list[FeedbackEvent]:
        document = shown.results[rank - 1].id
        name = f"{shown.query_id}-{rank}"
        common = (shown.query_id, document, shown.unit)
        click = FeedbackEvent("default", name, "click", *common, 0.0, shown.at, shown.at)
        stay = FeedbackEvent("default", f"{name}-stay", "dwell", *common, 45.0, shown.at, shown.at)
        return [click, stay] if read else [click]


def names(kind: str, count: int) -> list[str]:
    return [f"{kind}{number}" for number in range(count)]


def fold(engine: sa.Engine, content: Sequence[Content]) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def clicks_of(content: Sequence[Content]) -> int:
    return sum(isinstance(one, FeedbackEvent) and one.type == "click" for one in content)


def tau_of(engine: sa.Engine) -> float:
    """Return how well the labels' order agrees with the grades, as Kendall's tau, the mean over queries."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(evidence)).all()
    found = [
        Evidence(
            row.query_key,
            row.document_id,
            tuple(map(float, row.shown)),
            tuple(map(float, row.clicked)),
            row.users,
            row.satisfied,
            row.dissatisfied,
        )
        for row in rows
    ]
    uniform = {one.query_key: {f"d{place}": 1 / DOCUMENTS for place in range(DOCUMENTS)} for one in found}
    relevance: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for one in label(found, uniform)[0]:
        relevance[one.query_key][one.document_id] = one.relevance
    by_query = [[given.get(f"d{place}", 0.0) for place in range(DOCUMENTS)] for given in relevance.values()]
    return float(np.mean([kendalltau(values, GRADES).statistic for values in by_query]))


def forget(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        for table in (evidence, impressions):
            connection.execute(sa.delete(table))


def taus(engine: sa.Engine, content: Sequence[Content]) -> dict[str, float]:
    """Return tau of the same content with caps, and with quarantine too."""
    fold(engine, content)
    found = {"caps": tau_of(engine)}
    Quarantine(engine, SETTINGS, FrozenClock(START + timedelta(hours=23))).review("default")
    found["caps and quarantine"] = tau_of(engine)
    return found


def tell(capsys: pytest.CaptureFixture[str], what: str, clean: float, found: dict[str, float]) -> None:
    with capsys.disabled():
        sys.stdout.write(
            f"\n{what}: clean {clean:.3f}, " + ", ".join(f"{name} {tau:.3f}" for name, tau in found.items())
        )


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "careful"), [(1, False), (2, True)])
def test_ten_times_the_real_clicks_from_one_percent_of_ids_leave_the_labels_alone(
    engine: sa.Engine, seed: int, careful: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(seed)
    people = world.people(names("person", PEOPLE))
    bots = names("bot", PEOPLE // 100)
    flood = world.bots(bots, 10 * clicks_of(people) // len(bots), careful=careful)
    fold(engine, people)
    clean = tau_of(engine)
    forget(engine)

    found = taus(engine, [*people, *flood])

    tell(capsys, f"{'careful' if careful else 'plain'} flood, seed {seed}", clean, found)
    assert clicks_of(flood) >= 9.9 * clicks_of(people)
    assert found["caps and quarantine"] >= 0.9 * clean


@pytest.mark.parametrize("seed", [1, 2])
def test_sybils_who_pace_themselves_as_people_do_are_not_found(
    engine: sa.Engine, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(seed)
    people = world.people(names("person", PEOPLE))
    share = 0.3
    sybils = names("sybil", int(PEOPLE * share / (1 - share)))
    fold(engine, people)
    clean = tau_of(engine)
    forget(engine)

    found = taus(engine, [*people, *world.sybils(sybils, LISTS)])

    tell(capsys, f"sybils, seed {seed}", clean, found)
    assert found["caps and quarantine"] == found["caps"], "this is the limit: nothing tells them from people"
