"""Real tests: headlines that Upworthy showed to real people, as A/B tests of many arms on the click rate.

Nobody knows which headline was truly better. So the verdict under looks is compared with what the whole test says in
the end; and the same impressions, dealt to the arms anew, show how often nothing is taken for something.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ab_testing.decide.evidence import weigh
from ab_testing.decide.look import Look, summarise
from ab_testing.decide.rules import decide
from ab_testing.design.arm import Arm
from ab_testing.design.plan import MAX_ARMS, ExperimentPlan
from benchmarks.experiments.bars import Bar, at_least, at_most, share_of
from benchmarks.experiments.simulate import PLANNED_DAYS

LOOKS = 20
QUICK_TESTS = 80

Counts = tuple[tuple[int, int], ...]
"""Impressions and clicks of each arm, the control first."""


class PlayedTest(NamedTuple):
    """How one test ended.

    Attributes:
        winner: The arm that a verdict under looks promotes; empty without one.
        gain: Effect of that arm by the end of the whole test.
        fixed_winner: The arm that one test at the end promotes.
        finding: Whether any look proved any difference.
        invalid: Whether the impressions do not fit an even split.
    """

    winner: str
    gain: float
    fixed_winner: str
    finding: bool
    invalid: bool


def upworthy(seed: int, quick: bool, path: Path) -> list[Bar]:
    """Return bars of agreement with the whole tests, and of false findings among relabelled ones.

    Args:
        path: The tests, a gzipped table of test_id, arm, impressions and clicks.
    """
    random = np.random.default_rng(seed)
    tests = [counts for counts in read_tests(path) if 2 <= len(counts) <= MAX_ARMS]
    if quick:
        tests = [tests[place] for place in random.permutation(len(tests))[:QUICK_TESTS]]
    real = [_follow(random, counts) for counts in tests]
    dealt = [_follow(random, _deal(random, counts)) for counts in tests]
    return list(_bars(real, dealt, quick))


def read_tests(path: Path) -> list[Counts]:
    """Return the tests of a file, in its order."""
    tests: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            tests[row["test_id"]].append((int(row["impressions"]), int(row["clicks"])))
    return [tuple(arms) for arms in tests.values()]


def _bars(real: Sequence[PlayedTest], dealt: Sequence[PlayedTest], quick: bool) -> Iterator[Bar]:
    valid = [one for one in real if not one.invalid]
    promoted = [one for one in valid if one.winner]
    fixed = [one for one in valid if one.fixed_winner]
    both = [one for one in promoted if one.fixed_winner]
    same = share_of([one.winner == one.fixed_winner for one in both]).value
    told = (
        f"{len(real)} real tests, {LOOKS} looks each: {len(real) - len(valid)} invalid by their split, {len(promoted)} "
        f"promoted, {len(fixed)} by one test at the end, {len(both)} by both, {same:.1%} of these the same arm"
    )
    sign = share_of([one.gain > 0 for one in promoted])
    yield at_least("ab.upworthy.sign", f"{told}; the whole test agrees in sign", sign, bound=0.95, quick=quick)
    found, false = share_of([one.finding for one in dealt]), share_of([bool(one.winner) for one in dealt])
    relabelled = f"{len(dealt)} tests with their impressions dealt anew, {LOOKS} looks each"
    yield at_most("ab.upworthy.findings", f"{relabelled}: found at any look", found, bound=0.05, quick=quick)
    every = len(promoted) / len(valid)
    what = f"{relabelled}: promoted, beside {every:.1%} of the real tests"
    yield at_most("ab.upworthy.promotions", what, false, bound=0.025, quick=quick)


def _deal(random: np.random.Generator, counts: Counts) -> Counts:
    """Return the same impressions with the arms dealt anew, evenly."""
    total, clicks = (sum(column) for column in zip(*counts, strict=True))
    sizes = np.full(len(counts), total // len(counts))
    drawn = random.multivariate_hypergeometric([*sizes, total - sizes.sum()], clicks)
    return tuple(zip(sizes.tolist(), drawn[:-1].tolist(), strict=True))


def _follow(random: np.random.Generator, counts: Counts) -> PlayedTest:
    """Return how a test ends whose impressions come in random order."""
    plan = _plan(counts)
    looks = list(_looks(random, plan, counts))
    verdicts = (decide(plan, looks[: place + 1]) for place in range(len(looks)))
    verdict = next(one for one in verdicts if one.final)
    effects = {one.treatment: one.estimate or 0.0 for one in weigh(plan, looks[-1]) if one.role == "success"}
    weighed = [one for look in looks for one in weigh(plan, look)]
    return PlayedTest(
        winner=verdict.winner or "",
        gain=effects.get(verdict.winner or "", 0.0),
        fixed_winner=decide(replace(plan, test="fixed"), looks[-1:]).winner or "",
        finding=any(one.superior or one.inferior or one.harmful for one in weighed),
        invalid=verdict.decision == "invalid",
    )


def _plan(counts: Counts) -> ExperimentPlan:
    return ExperimentPlan(
        "headlines",
        "ab",
        arms=tuple(Arm(f"arm {place}", f"headline {place}") for place in range(len(counts))),
        planned_searches=sum(impressions for impressions, _ in counts),
        min_days=0.0,
        max_days=2 * PLANNED_DAYS,
    )


def _looks(random: np.random.Generator, plan: ExperimentPlan, counts: Counts) -> Iterator[Look]:
    """Yield the looks, evenly spread; every impression is a unit of its own."""
    ends = np.array([np.linspace(0, impressions, LOOKS + 1).astype(np.int64) for impressions, _ in counts])
    steps = np.diff(ends, axis=1)
    drawn = [random.multivariate_hypergeometric(step, clicks) for step, (_, clicks) in zip(steps, counts, strict=True)]
    clicked = np.cumsum(drawn, axis=1)
    for place in range(LOOKS):
        seen = dict(zip(plan.arm_names, ends[:, place + 1].tolist(), strict=True))
        tables = {
            arm: {(1, 1): clicks, (0, 1): seen[arm] - clicks}
            for arm, clicks in zip(plan.arm_names, clicked[:, place].tolist(), strict=True)
        }
        caps, ratios = summarise({"click_rate": tables})
        days = PLANNED_DAYS * (place + 1) / LOOKS
        yield Look(change=place, days=days, units=seen, searches=seen, caps=caps, ratios=ratios)
