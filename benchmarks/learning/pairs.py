"""Planted pairs of versions, whose difference is known by judgments: does the gate's judge see it from clicks?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

import numpy as np

from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.learning.closed_loop import Votes
from benchmarks.learning.planting import plant
from collector.click_models.labels import label
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import Evidence, query_key
from foundation.settings import Settings
from foundation.statistics import bootstrap_interval
from retrainer.gate.comparison import Comparison, compare, count_lists
from retrainer.gate.gate import judge_candidate
from retrainer.gate.measurements import Measurements
from retrainer.gate.views import View, look
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from simulator.quality import ndcg
from simulator.traffic import Traffic
from simulator.users import make_user

TELLING = 0.01
"""Pairs that differ by less have no sign to be seen."""
WELL_BETTER = 0.02
MANY_CLICKS = 2000
"""From so many clicks on, what is truly better by `WELL_BETTER` has to pass."""
MANY_LISTS = 4

_MIN_QUERIES = 5
START = datetime(2026, 1, 5, tzinfo=UTC)
ONE_SEARCH = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Cell:
    """One simulation from which many pairs are made.

    Attributes:
        family: Of the users.
        clicks: Clicks on the champion's lists.
        queries: Most queries to judge by.
    """

    family: str
    clicks: int
    queries: int
    seed: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair: a champion against a candidate; changes of nDCG@10 on the judged queries, weighed by their lists.

    Attributes:
        cell: Collection and simulation.
        champion: "production", or "learned".
        truth: By judgments.
        seen: As the gate's judge sees it, both readings weighed.
        even: The mean of both readings.
        share: How much the candidate's reading weighs.
        passed: Whether the gate's bounds on quality let it through.
        off: How much too high the judge sees the queries with four lists or more; None with few of them.
    """

    cell: str
    clicks: int
    champion: str
    kind: str
    queries: int
    truth: float
    seen: float
    even: float
    under_champion: float
    under_candidate: float
    share: float
    data: float
    passed: bool
    off: float | None


def plant_pairs(
    world: EvaluationHarness, cell: Cell, name: str, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Judged]:
    """Yield planted pairs as the judge sees them, from clicks on production's lists and on those of what was learned.

    Half of the clicked queries are learned from; at most so many of the other half judge.

    Args:
        name: Of the collection.
    """
    told = f"{name}, {cell.family}, {cell.clicks} clicks, seed {cell.seed}"
    evidence = collect_evidence(world, world.untaught(), cell, cell.seed)
    clicked = sorted({row.query_key for row in evidence if row.users > 0})
    order = np.random.default_rng(cell.seed).permutation(clicked).tolist()
    half = len(order) // 2
    taught, judging = set(order[:half]), sorted(order[half : half + cell.queries])
    rows = [row for row in evidence if row.query_key in taught]
    learned = world.model(learn(prepare_training_set(rows, world.encode), world.corpus, label, cell.seed), 0)
    models = {"production": world.untaught(), "learned": learned} | dict(plant(learned, world.untaught(), cell.seed))
    queries = [world.query(key) for key in judging]
    views = {kind: look(Ranker(world.corpus, model), queries) for kind, model in models.items()}
    truths = {kind: ndcg({key: world.asked[key] for key in judging}, view.tops) for kind, view in views.items()}
    logs = {"production": evidence, "learned": collect_evidence(world, learned, cell, cell.seed + 1)}
    for champion, log in logs.items():
        judged = [row for row in log if row.query_key in set(judging)]
        asked = {row.query_key for row in judged if row.users > 0}
        for kind in [kind for kind in views if kind != champion]:
            found = compare(_only(views[champion], asked), _only(views[kind], asked), judged, label)
            if len(found.keys) >= _MIN_QUERIES:
                yield _judge(found, truths[champion], truths[kind], judged, cell, told, champion, kind)
        progress(f"planted pairs: {told}, champion {champion}")


def _judge(
    found: Comparison,
    before: dict[str, float],
    after: dict[str, float],
    judged: list[Evidence],
    cell: Cell,
    told: str,
    champion: str,
    kind: str,
) -> Judged:
    truth = np.array([after[key] - before[key] for key in found.keys])
    true, seen, even, one, other = (
        float(np.average(change, weights=found.weights))
        for change in (truth, found.change, found.even_change, found.under_champion, found.under_candidate)
    )
    lists = count_lists(judged)
    often = np.array([lists[key] >= MANY_LISTS for key in found.keys])
    off = float((found.change - truth)[often].mean()) if often.sum() >= _MIN_QUERIES else None
    gate = judge_candidate(Measurements(found, {key: key for key in found.keys}, cell.seed))
    return Judged(
        cell=told,
        clicks=cell.clicks,
        champion=champion,
        kind=kind,
        queries=len(found.keys),
        truth=round(true, 5),
        seen=round(seen, 5),
        even=round(even, 5),
        under_champion=round(one, 5),
        under_candidate=round(other, 5),
        share=round(found.share, 4),
        data=round(found.data, 4),
        passed=gate.passed,
        off=off,
    )


def _only(view: View, keys: set[str]) -> View:
    """Return how a version sees some of the queries, as sharp as before."""
    tops = {key: found for key, found in view.tops.items() if key in keys}
    return View(tops, {key: found for key, found in view.beliefs.items() if key in keys})


def pair_bars(pairs: Sequence[Judged]) -> list[Bar]:
    """Return the bars of the judge, each share and mean with its Monte-Carlo error: by simulations, not by pairs."""
    told = [pair for pair in pairs if abs(pair.truth) >= TELLING]
    worse = [pair for pair in told if pair.truth < 0]
    better = [pair for pair in pairs if pair.truth >= WELL_BETTER and pair.clicks >= MANY_CLICKS]
    often = [pair for pair in pairs if pair.off is not None]
    signs, sign_error = _mean(told, [(pair.seen > 0) == (pair.truth > 0) for pair in told])
    bias, bias_error = _mean(often, [pair.off or 0.0 for pair in often])
    bad, bad_error = _mean(worse, [pair.passed for pair in worse])
    bars = [
        at_least(
            "gate.sign",
            f"share of {len(told)} planted pairs that differ by .01 with the right sign (± {sign_error:.3f})",
            signs if told else 1.0,
            0.95,
        ),
        at_most(
            "gate.bias",
            f"how far the judge is off on average from four lists a query on, {len(often)} pairs (± {bias_error:.4f})",
            abs(bias),
            0.008,
        ),
        at_most(
            "gate.worse_pass", f"share of {len(worse)} truly worse by .01 that pass (± {bad_error:.3f})", bad, 0.05
        ),
    ]
    if better:
        good, good_error = _mean(better, [pair.passed for pair in better])
        what = f"share of {len(better)} truly better by .02 that pass from 2,000 clicks on (± {good_error:.3f})"
        bars.append(at_least("gate.better_pass", what, good, 0.8))
    return bars


def _mean(pairs: Sequence[Judged], values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of a value of each pair, and its standard error when whole simulations are drawn again."""
    if not values:
        return 0.0, 0.0
    cells = np.unique([pair.cell for pair in pairs], return_inverse=True)[1]
    low, high = bootstrap_interval(np.array(values, dtype=np.float64), confidence=0.68, seed=0, clusters=cells)
    return fmean(values), (high - low) / 2


def collect_evidence(world: EvaluationHarness, model: RankingModel, cell: Cell, seed: int) -> list[Evidence]:
    """Return the evidence of so many clicks on what a version ranks."""
    traffic, user = Traffic(world.collection, seed), make_user(cell.family, max_grade=world.collection.max_grade)
    votes = Votes(Settings.model_fields["lists_per_user"].default)
    ranker, tops, number = Ranker(world.corpus, model), dict[str, list[str]](), 0
    while votes.clicks < cell.clicks:
        visit = traffic.visit(number)
        key = query_key(world.collection.queries[visit.query_id])
        if key not in tops:
            tops[key] = [hit.document_id for hit in ranker.search(world.query(key), DEPTH).hits]
        grades = world.asked.get(key, {})
        clicked = user.clicks([grades.get(name, 0) for name in tops[key]], traffic.chance(number))
        ranks = {name: rank for rank, name in enumerate(tops[key], start=1)}
        shown = ShownList(str(number), START + number * ONE_SEARCH, ranks, Outcome(clicked=tuple(clicked)))
        votes.add(key, visit.person, shown)
        number += 1
    return votes.evidence()
