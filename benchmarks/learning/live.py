"""What evidence does at once, without any training: whether it helps, and how far a single person can push."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

import numpy as np

from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.learning.closed_loop import Votes
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import CURVE_RANKS
from foundation.packed_evidence import OTHERS, QueryEvidence, pack
from foundation.settings import Settings
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.pipeline import Ranker
from simulator.users import make_user

SEARCHES = (1, 2, 5, 20, 100)
"""After how many searches a query the ranking is measured."""

HELPS_FROM = 5
"""From so many searches a query on the ranking must be better than production."""
HONEST_SEARCHES = 15
REACH = range(11, 21)
"""Ranks of the documents that somebody tries to push."""

_NAMELESS_PEOPLE = 0.5
_PUSHERS = 10_000  # the first number of a person who pushes
_START = datetime(2026, 1, 5, tzinfo=UTC)
_ONE_SEARCH = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class LiveRow:
    """Quality of queries that had a click, nDCG@10, after so many searches of each."""

    searches: int
    queries: int
    gain: float
    harmed: float


@dataclass(frozen=True, slots=True)
class Push:
    """How high somebody brought a document, and how many others spoke for it before."""

    people: int
    others: float
    nameless: bool
    before: int
    after: int


class LiveRun:
    """Queries that are searched again and again; clicks take effect at once, and nothing is trained.

    Args:
        family: Of the users.
        keys: The queries.
    """

    def __init__(self, world: EvaluationHarness, family: str, keys: Sequence[str], seed: int) -> None:
        self._world = world
        self._keys = list(keys)
        self._user = make_user(family, max_grade=world.collection.max_grade)
        self._random = np.random.default_rng([seed, 7])
        self._lists_per_user: int = Settings.model_fields["lists_per_user"].default
        self._votes = Votes(self._lists_per_user)
        self._live = LiveMemory(world.vectors, world.corpus.dense.dimension)
        self._ranker = Ranker(world.corpus, world.untaught(), self._live)
        self._number = 0

    def search(self, rounds: int) -> None:
        """Ask every query so many times, each time as another person."""
        for _ in range(rounds):
            for place in self._random.permutation(len(self._keys)).tolist():
                key = self._keys[place]
                grades = self._world.asked[key]
                found = self._rank(key, DEPTH)
                clicked = self._user.clicks([grades.get(name, 0) for name in found], self._random)
                self._tell(key, self._number, found, Outcome(clicked=tuple(clicked)))

    def measure(self, searches: int) -> LiveRow:
        """Return how the queries that had a click fare beside production."""
        clicked = sorted(self._votes.clicked())
        after = {key: self._world.quality(self._ranker, [key]) for key in clicked}
        changes = [quality - self._world.production_quality([key]) for key, quality in after.items()]
        harmed = fmean(change < -0.01 for change in changes) if changes else 0.0
        return LiveRow(searches, len(clicked), fmean(changes) if changes else 0.0, harmed)

    def push(self) -> Iterator[Push]:
        """Try to push every document at ranks 11 to 20 of every query, each from the same state."""
        for key in self._keys:
            for rank, name in list(enumerate(self._rank(key, REACH.stop - 1), start=1)):
                if rank in REACH:
                    others = self._votes.users(key, name)
                    for people, nameless in ((1, True), (1, False), (2, False)):
                        yield Push(people, others, nameless, rank, self._pushed(key, name, people, nameless=nameless))

    def _pushed(self, key: str, name: str, people: int, *, nameless: bool) -> int:
        """Return the rank of a document after people clicked it and praised it, as often as counts; then undo it."""
        before, votes = self._votes.copy(), self._votes
        for person in range(_PUSHERS, _PUSHERS + people):
            for _ in range(self._lists_per_user):
                found = self._rank(key, REACH.stop - 1)
                if name in found:
                    self._tell(key, person, found, Outcome(clicked=(found.index(name) + 1,), ratings={name: 5}))
                    if nameless:
                        votes.people[key, name] = before.users(key, name) + _NAMELESS_PEOPLE
                        self._update(key)
        found = self._rank(key, REACH.stop - 1)
        self._votes = before
        self._update(key)
        return found.index(name) + 1 if name in found else REACH.stop

    def _rank(self, key: str, depth: int) -> list[str]:
        return [hit.document_id for hit in self._ranker.search(self._world.query(key), depth).hits]

    def _tell(self, key: str, person: int, found: list[str], outcome: Outcome) -> None:
        ranks = {name: rank for rank, name in enumerate(found, start=1)}
        at = _START + self._number * _ONE_SEARCH
        self._votes.add(key, person, ShownList(str(self._number), at, ranks, outcome))
        self._number += 1
        self._update(key)

    def _update(self, key: str) -> None:
        nothing = QueryEvidence(key, (), np.zeros((0, 2 * CURVE_RANKS + OTHERS)))
        self._live.update([nothing, *pack(self._votes.evidence([key]))], self._number)


def measure_live(
    world: EvaluationHarness, family: str, queries: int, searches: Sequence[int], seed: int
) -> list[LiveRow]:
    """Return how live evidence alone fares on some queries, after so many searches of each."""
    run, rows, done = LiveRun(world, family, draw_queries(world, queries, seed), seed), [], 0
    for goal in searches:
        run.search(goal - done)
        done = goal
        rows.append(run.measure(goal))
    return rows


def measure_pushes(world: EvaluationHarness, family: str, queries: int, seed: int) -> list[Push]:
    """Return how far single people push documents of some queries, each with 15 honest searches before."""
    run = LiveRun(world, family, draw_queries(world, queries, seed), seed)
    run.search(HONEST_SEARCHES)
    return list(run.push())


def live_bars(rows: Sequence[LiveRow], pushes: Sequence[Push]) -> list[Bar]:
    """Return the bars of live evidence alone; pushes of documents that others speak for already are left out."""
    bars = [
        at_least(
            "learning.live_gain",
            f"nDCG@10 gained by live evidence alone after {row.searches} searches a query, {row.queries} queries",
            row.gain,
            0.0 if row.searches >= HELPS_FROM else -0.003,
        )
        for row in rows
    ]
    for people, nameless, top in ((1, True, 5), (1, False, 5), (2, False, 3)):
        tried = [push.after for push in pushes if (push.people, push.nameless, push.others) == (people, nameless, 0)]
        who = f"{people} {'nameless ' if nameless else ''}{'person' if people == 1 else 'people'}"
        what = f"of {len(tried)} documents at ranks 11 to 20 are brought into the top {top} by {who}"
        bars.append(at_most("learning.live_push", what, sum(rank <= top for rank in tried), 0))
    return bars


def draw_queries(world: EvaluationHarness, count: int, seed: int) -> list[str]:
    """Return so many of the queries that users ask."""
    drawn: list[str] = np.random.default_rng(seed).permutation(sorted(world.asked))[:count].tolist()
    return drawn
