"""The experiments of a candidate's way, as large as its expected gain takes; or why the traffic is too small (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ab_testing.api import (
    CHAMPION,
    Arm,
    Baselines,
    ExperimentPlan,
    Guardrail,
    PlanningRequest,
    RampStep,
    SampleForecast,
    alpha_within,
    experiments_a_year,
    forecast,
)
from foundation.sections import LearningSettings
from retrainer.autopilot.path import Proof, Stage

PREFERENCE_PER_NDCG = 1.0
"""Preference that a gain of one nDCG@10 by the gate leads to expect: 0.7 to 1.3 with simulated users."""

COMPARE_ALPHA = 0.05
RAMP = ((0.0, 0.05), (0.1, 0.25), (0.2, 0.5), (0.3, 1.0))
"""Shares of the A/B test's days, and the coverage from then on."""

RAMP_MEAN = 0.1 * 0.05 + 0.1 * 0.25 + 0.1 * 0.5 + 0.7
MIN_SEARCHES = 400
COMPARE_DAYS = 7.0
"""Shortest A/B test: people search differently at weekends."""

_GUARDS = (Guardrail("click_rate", 0.02), Guardrail("p95_latency"), Guardrail("zero_result_rate"))
_GUARDS_WHERE_POSSIBLE = (Guardrail("csat"), Guardrail("resolution"))
_CONTROL_WEIGHT = 0.1
"""Share of a holdback's units in the arm of the version before."""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """How large one experiment is.

    Attributes:
        effect: What it is planned for, in its metric's own unit; 0 where nothing was planned.
        guardrails: Names and margins.
    """

    searches: int
    days: float
    effect: float = 0.0
    guardrails: tuple[tuple[str, float | None], ...] = ()

    @property
    def guards(self) -> tuple[Guardrail, ...]:
        """The guardrails as a plan names them."""
        return tuple(Guardrail(metric, margin) for metric, margin in self.guardrails)


@dataclass(frozen=True, slots=True)
class PathPlan:
    """Everything a candidate must pass.

    Attributes:
        control: The champion that it is compared with.
        stages: By step; only those that it takes.
        said: What was assumed or left out, in sentences.
    """

    proof: Proof
    control: str
    alpha: float
    coverage: float
    holdback_share: float
    stages: Mapping[str, StagePlan]
    said: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, to be read by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PathPlan:
        """Return the plan that `to_json` wrote."""
        stages = {
            name: StagePlan(**one | {"guardrails": tuple((guard, margin) for guard, margin in one["guardrails"])})
            for name, one in value["stages"].items()
        }
        return cls(**value | {"stages": stages, "said": tuple(value["said"])})

    def experiment(self, stage: Stage, name: str, version: str) -> ExperimentPlan:
        """Return the plan of a step's experiment."""
        sized = self.stages[stage]
        makers = {"interleave": self._interleave, "compare": self._compare, "holdback": self._holdback}
        return makers[stage](sized, name, version)

    def _interleave(self, sized: StagePlan, name: str, version: str) -> ExperimentPlan:
        return ExperimentPlan(
            name,
            "interleaving",
            CHAMPION,
            version,
            planned_searches=sized.searches,
            min_days=min(1.0, sized.days),
            max_days=sized.days,
            coverage=self.coverage,
            alpha=self.alpha,
        )

    def _compare(self, sized: StagePlan, name: str, version: str) -> ExperimentPlan:
        return ExperimentPlan(
            name,
            "ab",
            self.control,
            version,
            planned_searches=sized.searches,
            min_days=min(COMPARE_DAYS, sized.days),
            max_days=sized.days,
            alpha=COMPARE_ALPHA,
            ramp=tuple(RampStep(share * sized.days, coverage) for share, coverage in RAMP),
            guardrails=sized.guards,
            aim="no_harm",
        )

    def _holdback(self, sized: StagePlan, name: str, version: str) -> ExperimentPlan:
        before = Arm("control", self.control, weight=_CONTROL_WEIGHT)
        return ExperimentPlan(
            name,
            "ab",
            arms=(before, Arm("treatment", version, weight=1 - _CONTROL_WEIGHT)),
            planned_searches=sized.searches,
            min_days=sized.days,
            max_days=sized.days,
            coverage=min(1.0, self.holdback_share / _CONTROL_WEIGHT),
            guardrails=sized.guards,
            aim="holdback",
        )


def alpha_of(settings: LearningSettings) -> float:
    """Return the alpha of automatic experiments that keeps to the yearly number of false promotions."""
    yearly = experiments_a_year(settings.schedule_hours, settings.encoder_schedule_hours)
    return alpha_within(settings.false_promotions_a_year, yearly)


def plan_path(settings: LearningSettings, known: Baselines, gain: float, control: str) -> PathPlan | str:
    """Return the experiments of a candidate; a sentence where the traffic is too small, which says what would do.

    Args:
        known: What the collection's latest searches say.
        gain: Change of nDCG@10 that the gate expects.
        control: The champion now.
    """
    planner = _Planner(settings, known)
    interleaved = planner.interleave(gain)
    if isinstance(interleaved, str):
        return interleaved
    stages = {"interleave": interleaved}
    if settings.proof == "full":
        compared = planner.compare()
        if isinstance(compared, str):
            return compared
        stages["compare"] = compared
        if settings.holdback_days:
            stages["holdback"] = planner.holdback(compared)
    return PathPlan(
        proof=settings.proof,
        control=control,
        alpha=alpha_of(settings),
        coverage=settings.experiment_coverage,
        holdback_share=settings.holdback_share,
        stages=stages,
        said=(*known.assumptions, *planner.left_out()),
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    settings: LearningSettings
    known: Baselines

    def interleave(self, gain: float) -> StagePlan | str:
        settings = self.settings
        if settings.experiment_searches:
            return StagePlan(settings.experiment_searches, settings.experiment_days)
        if "preference" not in self.known.metrics:
            return (
                "nothing can be planned: too few people who are known by a user or session searched lately. "
                "CLICKLOOP_EXPERIMENT_SEARCHES starts an experiment of a length of your own"
            )
        effect = gain * PREFERENCE_PER_NDCG
        if effect <= 0:
            return "nothing can be planned: the gate expects no gain"
        wanted = PlanningRequest(
            kind="interleaving",
            metrics=("preference",),
            effect=effect,
            alpha=alpha_of(settings),
            coverage=settings.experiment_coverage,
        )
        [sample] = forecast(wanted, self.known).samples
        if sample.searches is None or sample.days is None or sample.days > settings.experiment_days:
            return self._too_small(
                sample, f"a preference of {effect:+.3f}, which the gate's gain leads to expect", True
            )
        return StagePlan(max(sample.searches, MIN_SEARCHES), settings.experiment_days, effect)

    def compare(self) -> StagePlan | str:
        settings = self.settings
        guards = (*_GUARDS, *self._possible())
        if settings.experiment_searches:
            return _guarded(settings.experiment_searches, settings.experiment_days, guards)
        samples = [*self._clear(guards)]
        slowest = max(samples, key=lambda one: math.inf if one.days is None else one.days, default=None)
        if slowest is None:
            return "nothing can be planned: no guardrail was measured lately"
        if slowest.searches is None or slowest.days is None or slowest.days > settings.experiment_days:
            return self._too_small(
                slowest, f"to rule out that {slowest.metric} is worse by {slowest.effect:.3g}", False
            )
        days = max(math.ceil(slowest.days), min(COMPARE_DAYS, settings.experiment_days))
        searches = max(math.ceil(slowest.searches * days / slowest.days), MIN_SEARCHES)
        return _guarded(searches, min(float(days), settings.experiment_days), guards)

    def holdback(self, compared: StagePlan) -> StagePlan:
        settings = self.settings
        coverage = min(1.0, settings.holdback_share / _CONTROL_WEIGHT)
        expected = self.known.history.searches_a_day * coverage * settings.holdback_days
        searches = max(math.ceil(expected), MIN_SEARCHES)
        return StagePlan(searches, settings.holdback_days, guardrails=compared.guardrails)

    def left_out(self) -> Iterator[str]:
        possible = {one.metric for one in self._possible()}
        for one in _GUARDS_WHERE_POSSIBLE if self.settings.proof == "full" else ():
            if one.metric not in possible:
                yield f"{one.metric} is measured too rarely to guard it within {self.settings.experiment_days:g} days"

    def _possible(self) -> tuple[Guardrail, ...]:
        longest = self.settings.experiment_days
        return tuple(
            guard
            for guard in _GUARDS_WHERE_POSSIBLE
            if any(one.days is not None and one.days <= longest for one in self._clear((guard,)))
        )

    def _clear(self, guards: tuple[Guardrail, ...]) -> Iterator[SampleForecast]:
        """Yield how large an A/B test must be to clear each guardrail that was measured lately."""
        power = 1 - 0.2 / (len(_GUARDS) + 1)
        for guard in guards:
            wanted = PlanningRequest(
                kind="ab",
                metrics=(guard.metric,),
                effect=guard.margin,
                guard=True,
                alpha=COMPARE_ALPHA,
                power=power,
                coverage=RAMP_MEAN,
            )
            yield from forecast(wanted, self.known).samples

    def _too_small(self, sample: SampleForecast, wanted: str, interleaved: bool) -> str:
        settings = self.settings
        takes = (
            "no time is enough, for too few people search"
            if sample.days is None
            else (
                f"takes {sample.searches:,} searches or {sample.days:.0f} days, and CLICKLOOP_EXPERIMENT_DAYS allows "
                f"{settings.experiment_days:g}"
            )
        )
        ways = ["a longer CLICKLOOP_EXPERIMENT_DAYS"] if sample.days is not None else []
        if interleaved and settings.experiment_coverage < 1:
            ways.append("a larger CLICKLOOP_EXPERIMENT_COVERAGE")
        ways.append(
            "a candidate that gains more" if interleaved else "CLICKLOOP_PROOF=interleaving, which guards nothing"
        )
        return f"the traffic is too small: {wanted}: {takes}. What would do: {'; or '.join(ways)}"


def _guarded(searches: int, days: float, guards: tuple[Guardrail, ...]) -> StagePlan:
    return StagePlan(searches, days, guardrails=tuple((one.metric, one.margin) for one in guards))
