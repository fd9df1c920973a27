"""Planted pairs of versions before an interleaved log: does the off-policy estimate's interval cover the truth?

Production and what was learned from clicks are interleaved for simulated users. From that log the estimate tells what
each planted version would be clicked more than each of the two. The truth are the same users' clicks on both lists,
drawn many times for every query that can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ab_testing.api import interleave
from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.learning.closed_loop import Votes
from benchmarks.learning.pairs import ONE_SEARCH, START, Cell, collect_evidence
from benchmarks.learning.planting import plant
from collector.api import InterleavedSearch, label
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import Evidence, query_key
from foundation.settings import Settings
from retrainer.gate.off_policy import estimate_change, guess_clicks
from retrainer.gate.views import View, look
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.ranking.pipeline import Ranker
from simulator.collection import JudgedCollection
from simulator.traffic import Traffic, zipf_shares
from simulator.users import User, make_user

SEARCHES = 2000
"""Interleaved searches of each simulation."""
QUERIES = 200
"""Queries that are asked in it."""

_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Estimated:
    """One pair: what is estimated of a candidate, and what is true, in clicks a search."""

    cell: str
    champion: str
    kind: str
    truth: float
    change: float
    low: float
    high: float
    coverage: float
    says: bool

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


class ClickTruth:
    """Expected clicks of simulated users on lists, by drawing the same chances many times for each."""

    def __init__(self, user: User, seed: int) -> None:
        self._user = user
        self._seed = seed
        self._known: dict[tuple[int, ...], float] = {}

    def clicks(self, grades: Sequence[int]) -> float:
        """Return the expected clicks on a list of these grades."""
        asked = tuple(grades)
        if asked not in self._known:
            random = np.random.default_rng(self._seed)
            self._known[asked] = sum(len(self._user.clicks(asked, random)) for _ in range(_DRAWS)) / _DRAWS
        return self._known[asked]


def plant_estimates(
    world: EvaluationHarness, cell: Cell, name: str, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Estimated]:
    """Yield what is estimated of planted versions, from production and what was learned, interleaved.

    Args:
        cell: From its clicks the version is learned that production is interleaved with.
        name: Of the collection.
    """
    told = f"{name}, {cell.family}, {cell.clicks} clicks, seed {cell.seed}"
    evidence = collect_evidence(world, world.untaught(), cell, cell.seed)
    learned = world.model(learn(prepare_training_set(evidence, world.encode), world.corpus, label, cell.seed), 0)
    models = {"production": world.untaught(), "learned": learned} | dict(plant(learned, world.untaught(), cell.seed))
    traffic = Traffic(_with_few_queries(world.collection, cell.seed), cell.seed)
    shares: dict[str, float] = {}
    for query, share in zip(traffic.queries, zipf_shares(len(traffic.queries), 0.8).tolist(), strict=True):
        key = query_key(world.collection.queries[query])
        shares[key] = shares.get(key, 0.0) + share
    asked = [world.query(key) for key in shares]
    views = {kind: look(Ranker(world.corpus, model), asked) for kind, model in models.items()}
    user = make_user(cell.family, max_grade=world.collection.max_grade)
    truth = ClickTruth(user, cell.seed)
    expected = {
        kind: sum(share * truth.clicks(_grades(world, key, view.tops[key])) for key, share in shares.items())
        for kind, view in views.items()
    }
    lists, votes = _interleave(world, traffic, user, views["production"], views["learned"])
    for champion in ("production", "learned"):
        for kind in [kind for kind in views if kind != champion]:
            guess = guess_clicks(votes, (views[champion], views[kind]), label)
            found = estimate_change(lists, views[champion].tops, views[kind].tops, guess)
            yield Estimated(
                cell=told,
                champion=champion,
                kind=kind,
                truth=round(expected[kind] - expected[champion], 5),
                change=round(found.change, 5),
                low=round(found.low, 5),
                high=round(found.high, 5),
                coverage=round(found.coverage, 4),
                says=found.says,
            )
    progress(f"off-policy estimates: {told}")


def off_policy_bars(pairs: Sequence[Estimated]) -> list[Bar]:
    """Return the bars: how often the interval holds the truth where the estimate says anything."""
    says = [pair for pair in pairs if pair.says and pair.low < pair.high]  # others rank the same
    share = sum(pair.covers for pair in says) / len(says) if says else 0.0
    what = f"share of {len(says)} planted pairs whose truth the off-policy interval covers"
    return [
        at_least("gate.off_policy_covers", what, share, 0.9),
        at_most("gate.off_policy_not_too_wide", what, share, 0.98),
        at_least(
            "gate.off_policy_says",
            f"share of {len(pairs)} pairs with enough coverage",
            len(says) / max(1, len(pairs)),
            0.25,
        ),
    ]


def _with_few_queries(collection: JudgedCollection, seed: int) -> JudgedCollection:
    """Return a collection of which so many train queries are left."""
    queries = sorted(collection.split("train"))
    kept = np.random.default_rng(seed).permutation(queries)[:QUERIES].tolist()
    asked = {query: collection.split("train")[query] for query in kept}
    return JudgedCollection(collection.documents, collection.queries, {"train": asked})


def _grades(world: EvaluationHarness, key: str, ranking: Sequence[str]) -> list[int]:
    grades = world.asked.get(key, {})
    return [grades.get(name, 0) for name in ranking]


def _interleave(
    world: EvaluationHarness, traffic: Traffic, user: User, control: View, treatment: View
) -> tuple[list[InterleavedSearch], list[Evidence]]:
    """Return interleaved lists with what users clicked of them, and the same as evidence."""
    votes, lists = Votes(Settings.model_fields["lists_per_user"].default), []
    for number in range(SEARCHES):
        visit = traffic.visit(number)
        key = query_key(world.collection.queries[visit.query_id])
        slots = interleave([control.tops[key], treatment.tops[key]], DEPTH, number)
        names = tuple(slot.document_id for slot in slots)
        clicked = tuple(user.clicks(_grades(world, key, names), traffic.chance(number)))
        lists.append(
            InterleavedSearch(key, str(visit.person), names, tuple(slot.propensity for slot in slots), clicked)
        )
        ranks = {name: rank for rank, name in enumerate(names, start=1)}
        at = START + number * ONE_SEARCH
        votes.add(key, visit.person, ShownList(str(number), at, ranks, Outcome(clicked=clicked)))
    return lists, votes.evidence()
