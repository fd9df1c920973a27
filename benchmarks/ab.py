"""How often experiments without any difference end in a finding, under continuous looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ab_testing.decide.verdict import ArmEvidence, Facts, Word, judge, weigh
from ab_testing.design.assignment import ARMS, position
from ab_testing.design.plan import ExperimentPlan
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import RatioStatistics

SIMULATIONS = 10_000
QUICK_SIMULATIONS = 2000
BOUND = 0.05
"""Share of A/A experiments that may end in a finding, and the level at which they are tested."""

_PLANNED_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """An audience and how often its experiment is looked at.

    Attributes:
        users: Size of the audience; users come back, the busy ones far more often.
        searches: Planned searches of the experiment.
        looks: Looks, evenly spread over the searches; the last is the planned end.
        click_rate: Mean share of searches with a click.
        correlation: Correlation between the searches of one user.
        lift: Relative gain of the treatment.
    """

    users: int = 800
    searches: int = 4000
    looks: int = 100
    click_rate: float = 0.3
    correlation: float = 0.15
    lift: float = 0.0


@dataclass(frozen=True, slots=True)
class SimulatedOutcome:
    """How one simulated experiment ended.

    Attributes:
        decision: The verdict that ended it.
        significant: Whether any look before its end proved a difference, in either direction.
        searches: Searches until its end.
    """

    decision: Word
    significant: bool
    searches: int


def run(seed: int, quick: bool) -> list[dict[str, Any]]:
    """Return bar "loop.4": the share of A/A experiments with a significant difference at any look.

    Each of 10,000 experiments (quick: 2,000, which know the share to half a percent) is assigned,
    counted and judged by the code that judges live ones, at 100 looks. Significant is every
    finding in either direction, whether or not it ends in a promotion.
    """
    count = QUICK_SIMULATIONS if quick else SIMULATIONS
    outcomes = simulate(seed, count, Scenario())
    share = sum(outcome.significant for outcome in outcomes) / count
    what = f"significant A/A experiments among {count}, clustered click rate, {Scenario().looks} looks each"
    return [{"id": "loop.4", "what": what, "value": share, "bound": BOUND, "met": share <= BOUND}]


def simulate(seed: int, count: int, scenario: Scenario) -> list[SimulatedOutcome]:
    """Return how `count` independent experiments in `scenario` end."""
    return [_experiment(np.random.default_rng(child), scenario) for child in np.random.SeedSequence(seed).spawn(count)]


def _experiment(random: np.random.Generator, scenario: Scenario) -> SimulatedOutcome:
    treated = _assign(random, scenario.users)
    user, clicked = _searches(random, scenario, treated)
    plan = ExperimentPlan(
        "simulated", "ab", "a", "b", planned_searches=scenario.searches, min_days=0.0, max_days=2 * _PLANNED_DAYS
    )
    looks = np.linspace(0, scenario.searches, scenario.looks + 1, dtype=np.int64)[1:]
    control, treatment = (_statistics(user, clicked, treated[user] == side, looks) for side in (False, True))
    for searches, *arms in zip(looks.tolist(), control, treatment, strict=True):
        facts = Facts(plan, _PLANNED_DAYS * searches / scenario.searches, dict(zip(ARMS, arms, strict=True)))
        verdict = judge(facts)
        if verdict.final:
            return SimulatedOutcome(verdict.decision, _is_significant(weigh(facts)), searches)
    raise AssertionError("every experiment is decided at its planned end")


def _assign(random: np.random.Generator, users: int) -> NDArray[np.bool_]:
    salt = str(random.integers(2**63))
    return np.array([position(salt, str(user)) >= 0.5 for user in range(users)])


def _searches(
    random: np.random.Generator, scenario: Scenario, treated: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the user of each search and whether it got a click, in the order of time."""
    concentration = 1 / scenario.correlation - 1
    taste = random.beta(scenario.click_rate * concentration, (1 - scenario.click_rate) * concentration, scenario.users)
    rate = np.minimum(1.0, taste * (1 + scenario.lift * treated))
    activity = random.lognormal(0.0, 1.0, scenario.users)
    user = random.choice(scenario.users, size=scenario.searches, p=activity / activity.sum())
    return user, (random.random(scenario.searches) < rate[user]).astype(np.float64)


def _statistics(
    user: NDArray[np.int64], clicked: NDArray[np.float64], in_arm: NDArray[np.bool_], looks: NDArray[np.int64]
) -> list[ArmStatistics]:
    """Return one arm's statistics at each look: running sums of what every search adds to them."""
    x, y = _before(user, clicked), _before(user, np.ones(len(user)))
    added = (y == 0, clicked, np.ones(len(user)), clicked * (2 * x + 1), 2 * y + 1, (x + clicked) * (y + 1) - x * y)
    sums = np.cumsum(np.stack(added) * in_arm, axis=1)[:, looks - 1]
    return [ArmStatistics(RatioStatistics(int(n), *rest)) for n, *rest in sums.T.tolist()]


def _before(user: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each search, the sum of `value` over the earlier searches of its user."""
    order = np.argsort(user, kind="stable")
    running = np.cumsum(value[order]) - value[order]
    first = np.searchsorted(user[order], user[order])
    earlier = np.empty(len(user))
    earlier[order] = running - running[first]
    return earlier


def _is_significant(evidence: ArmEvidence | None) -> bool:
    return evidence is not None and (evidence.superior or evidence.inferior or evidence.harmful)
