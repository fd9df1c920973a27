"""Planted pairs of versions, whose difference is known by judgments: does the gate's judge see it from clicks?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean

import numpy as np

from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.learning.closed_loop import Votes
from collector.click_models.labels import label
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import Evidence, query_key
from foundation.settings import Settings
from foundation.statistics import bootstrap_interval
from retrainer.gate.comparison import compare
from retrainer.gate.gate import MIN_LOW_BOUND
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.ranking.adaptation import Adapter
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from simulator.traffic import Traffic
from simulator.users import make_user

TELLING = 0.01
"""Pairs that differ by less have no sign to be seen."""

_START = datetime(2026, 1, 5, tzinfo=UTC)
_ONE_SEARCH = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair: production against a candidate.

    Attributes:
        truth: Change of nDCG@10 on the judged queries by judgments.
        mean: The same as the gate's judge sees it.
        under_champion: As the clicks read under the champion's belief.
        under_candidate: As they read under the candidate's.
        passed: Whether the gate's bounds on quality let it through.
    """

    kind: str
    truth: float
    mean: float
    under_champion: float
    under_candidate: float
    data: float
    passed: bool


def plant_pairs(world: EvaluationHarness, family: str, clicks: int, queries: int, seed: int) -> Iterator[Judged]:
    """Yield planted pairs as the judge sees them, from the clicks that production had.

    Half of the clicked queries are learned from; at most so many `queries` of the other half judge.
    """
    evidence = _collect(world, family, clicks, seed)
    clicked = sorted({row.query_key for row in evidence if row.users > 0})
    order = np.random.default_rng(seed).permutation(clicked).tolist()
    half = len(order) // 2
    taught, judging = set(order[:half]), set(order[half : half + queries])
    judged = [row for row in evidence if row.query_key in judging]
    learned = learn(
        prepare_training_set([row for row in evidence if row.query_key in taught], world.encode),
        world.corpus,
        label,
        seed,
    )
    champion = Ranker(world.corpus, world.untaught())
    keys = sorted(judging)
    before = {key: world.quality(champion, [key]) for key in keys}
    for kind, model in _candidates(world, world.model(learned, 0), seed):
        candidate = Ranker(world.corpus, model)
        found = compare(champion, candidate, [world.query(key) for key in keys], judged, label)
        after = {key: world.quality(candidate, [key]) for key in found.keys}
        truth = float(np.average([after[key] - before[key] for key in found.keys], weights=found.weights))
        mean, one, other = (
            float(np.average(change, weights=found.weights))
            for change in (found.change, found.under_champion, found.under_candidate)
        )
        low, _ = bootstrap_interval(found.change, confidence=0.9, seed=seed, weights=found.weights)
        yield Judged(kind, truth, mean, one, other, found.data, mean > 0 and low > MIN_LOW_BOUND)


def pair_bars(pairs: Sequence[Judged]) -> list[Bar]:
    """Return the bars of the judge."""
    told = [pair for pair in pairs if abs(pair.truth) >= TELLING]
    worse = [pair for pair in told if pair.truth < 0]
    right = fmean((pair.mean > 0) == (pair.truth > 0) for pair in told) if told else 1.0
    passed = fmean(pair.passed for pair in worse) if worse else 0.0
    return [
        at_least(
            "gate.sign", f"share of {len(told)} planted pairs that differ by .01 with the right sign", right, 0.95
        ),
        at_most("gate.worse_pass", f"share of {len(worse)} truly worse by .01 that pass", passed, 0.05),
    ]


def _candidates(world: EvaluationHarness, learned: RankingModel, seed: int) -> Iterator[tuple[str, RankingModel]]:
    """Yield candidates of many kinds: other fusions, one retriever only, sharper, learned, learned and damaged."""
    untaught = world.untaught()
    for words, meaning in ((10, 50), (6, 24), (24, 6), (50, 10), (5, 5), (40, 40), (10, 0), (0, 10), (1, 1)):
        weights = {"bm25_share": float(words), "dense_share": float(meaning)}
        yield f"fusion {words}:{meaning}", replace(untaught, fusion="linear", weights=weights)
    yield "learned", learned
    yield "learned, scores doubled", replace(learned, weights={name: 2 * one for name, one in learned.weights.items()})
    random = np.random.default_rng(seed)
    for noise in (0.5, 2.0):
        weights = {name: one + noise * float(random.normal()) for name, one in learned.weights.items()}
        yield f"learned, fusion weights off by {noise}", replace(learned, weights=weights)
    if learned.adapter:
        size = len(learned.adapter.bias)
        for noise in (0.02, 0.05):
            moved = learned.adapter.weight + random.normal(size=(size, size)).astype(np.float32) * np.float32(noise)
            yield f"learned, adapter off by {noise}", replace(learned, adapter=Adapter(moved, learned.adapter.bias))
    yield "learned, without memory", replace(learned, memory=untaught.memory)
    yield "learned, without residuals", replace(learned, residuals=None)


def _collect(world: EvaluationHarness, family: str, clicks: int, seed: int) -> list[Evidence]:
    """Return the evidence of so many clicks on what production ranks."""
    traffic, user = Traffic(world.collection, seed), make_user(family, max_grade=world.collection.max_grade)
    votes = Votes(Settings.model_fields["lists_per_user"].default)
    ranker, tops, number = Ranker(world.corpus, world.untaught()), dict[str, list[str]](), 0
    while votes.clicks < clicks:
        visit = traffic.visit(number)
        key = query_key(world.collection.queries[visit.query_id])
        if key not in tops:
            tops[key] = [hit.document_id for hit in ranker.search(world.query(key), DEPTH).hits]
        grades = world.asked.get(key, {})
        clicked = user.clicks([grades.get(name, 0) for name in tops[key]], traffic.chance(number))
        ranks = {name: rank for rank, name in enumerate(tops[key], start=1)}
        shown = ShownList(str(number), _START + number * _ONE_SEARCH, ranks, Outcome(clicked=tuple(clicked)))
        votes.add(key, visit.person, shown)
        number += 1
    return votes.evidence()
