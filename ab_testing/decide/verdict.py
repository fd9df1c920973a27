"""From what was counted to what should be done. Pure: the same facts always give the same verdict.

The ship rule of Schultzberg et al. (arXiv:2402.11609), reduced to one primary metric. Arms that do not fit the split
are invalid. Proven harm rolls back at once. Proven gain promotes once the minimum number of days has passed. What is
not proven at the planned end keeps the control.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ab_testing.design.assignment import ARMS
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan
from ab_testing.stats import srm
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import Estimate, difference
from ab_testing.stats.sequential import Hybrid, anytime_p_value, fixed_p_value, one_sided_critical_value

Word = Literal["invalid", "rollback", "promote", "keep_control", "continue"]

MIN_UNITS = 20
"""Effective units that each arm needs before anything is said: with fewer, the normal approximation is poor."""

HARM_ALPHA = 0.01
"""Largest probability that a harmless treatment is ever rolled back."""

SPLIT = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a verdict rests on.

    Attributes:
        arms: Statistics since the start, by arm of the plan.
    """

    plan: ExperimentPlan
    days: float
    arms: dict[str, ArmStatistics]

    @property
    def searches(self) -> int:
        """Searches of all arms: the sample that the sequential test counts."""
        return sum(arm.searches for arm in self.arms.values())

    @property
    def at_end(self) -> bool:
        """Whether the planned end has come."""
        complete = self.searches >= self.plan.planned_searches and self.days >= self.plan.min_days
        return complete or self.days >= self.plan.max_days

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Facts:
        """Return the facts that `to_json` wrote."""
        arms = {name: ArmStatistics.from_json(arm) for name, arm in value["arms"].items()}
        return cls(ExperimentPlan.from_json(value["plan"]), value["days"], arms)


@dataclass(frozen=True, slots=True)
class ArmEvidence:
    """What the primary metric says of the treatment against the control."""

    metric: str = field(
        metadata={
            "description": "click_rate_difference: share of searches with a click, treatment minus control. "
            "preference: share of interleaved searches won by the treatment minus those lost."
        }
    )
    estimate: float = field(metadata={"description": "The effect; above 0 is better for users."})
    standard_error: float = field(metadata={"description": "Its standard error, clustered by unit."})
    low: float = field(metadata={"description": "Lower end of the confidence sequence."})
    high: float = field(metadata={"description": "Upper end of the confidence sequence."})
    confidence: float = field(metadata={"description": "Probability that the sequence covers the truth at all looks."})
    p_value: float = field(metadata={"description": "Valid at every look; compared with alpha / 5 while running."})
    final_p_value: float | None = field(
        metadata={"description": "Of the one test at the planned end, compared with 4 alpha / 5; null before."}
    )
    superior: bool = field(metadata={"description": "Whether the treatment is proven better."})
    inferior: bool = field(metadata={"description": "Whether the treatment is proven worse, two-sided."})
    harmful: bool = field(metadata={"description": "Whether the one-sided sequence at 0.01 lies below 0."})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What should be done with the treatment."""

    decision: Word = field(
        metadata={"description": "invalid, rollback, promote and keep_control end the experiment; continue does not."}
    )
    reason: str = field(metadata={"description": "Why, in words."})
    inputs: dict[str, Any] = field(metadata={"description": "The facts; judging them again gives this verdict."})

    @property
    def final(self) -> bool:
        """Whether it ends the experiment."""
        return self.decision != "continue"


def judge(facts: Facts) -> Verdict:
    """Return what should be done, given what was counted so far."""
    decision, reason = _decide(facts, weigh(facts))
    return Verdict(decision, reason, facts.to_json())


def weigh(facts: Facts) -> ArmEvidence | None:
    """Return what the primary metric says, None while there are too few units to say anything."""
    if _effective_units(facts) < MIN_UNITS:
        return None
    plan, at_end = facts.plan, facts.at_end
    test = Hybrid(plan.alpha, plan.planned_searches)
    effect = _effect(facts)
    half_width = test.running_critical_value(facts.searches) * effect.standard_error
    needed = test.critical_value(facts.searches, at_end, effect.degrees)
    harm = one_sided_critical_value(facts.searches, plan.planned_searches, HARM_ALPHA)
    return ArmEvidence(
        metric="click_rate_difference" if plan.kind == "ab" else "preference",
        estimate=effect.value,
        standard_error=effect.standard_error,
        low=effect.value - half_width,
        high=effect.value + half_width,
        confidence=1 - test.running_alpha,
        p_value=anytime_p_value(effect.z, facts.searches, plan.planned_searches, test.running_alpha),
        final_p_value=fixed_p_value(effect.z, effect.degrees) if at_end else None,
        superior=effect.z > needed,
        inferior=effect.z < -needed,
        harmful=effect.z < -harm,
    )


def split_counts(facts: Facts) -> tuple[int, int] | None:
    """Return the units of control and treatment, None for a plan that splits no units."""
    if facts.plan.kind != "ab":
        return None
    control, treatment = (facts.arms[arm].units for arm in ARMS)
    return control, treatment


def _effective_units(facts: Facts) -> float:
    """Return the effective units behind the primary metric, of the smaller arm."""
    if facts.plan.kind == "ab":
        return min(facts.arms[arm].click_rate.effective_units for arm in ARMS)
    return facts.arms[INTERLEAVED].preference.effective_units


def _effect(facts: Facts) -> Estimate:
    """Return the difference, which is tested and not the lift: it exists for an arm without any click too."""
    if facts.plan.kind == "ab":
        control, treatment = (facts.arms[arm].click_rate.estimate() for arm in ARMS)
        return difference(control, treatment)
    return facts.arms[INTERLEAVED].preference.estimate()


def _decide(facts: Facts, evidence: ArmEvidence | None) -> tuple[Word, str]:
    counts = split_counts(facts)
    if counts and srm.mismatch(counts, SPLIT):
        return "invalid", f"{counts[0]} and {counts[1]} units do not fit an even split; check assignment and logging"
    if evidence is None:
        return _without_evidence(facts)
    if evidence.harmful:
        return "rollback", f"the treatment does harm: {_in_words(facts, evidence)}"
    if evidence.superior and facts.days >= facts.plan.min_days:
        return "promote", f"the treatment is better: {_in_words(facts, evidence)}"
    if facts.at_end:
        finding = "is worse" if evidence.inferior else "is not proven better"
        return "keep_control", f"at the planned end the treatment {finding}: {_in_words(facts, evidence)}"
    return "continue", f"{_waiting(facts, evidence)}: {_in_words(facts, evidence)}"


def _without_evidence(facts: Facts) -> tuple[Word, str]:
    units = _effective_units(facts)
    reason = f"the searches weigh like those of {units:.1f} equally busy units, and each arm needs {MIN_UNITS}"
    if facts.at_end:
        return "keep_control", f"at the planned end {reason}"
    return "continue", reason


def _waiting(facts: Facts, evidence: ArmEvidence) -> str:
    if evidence.superior:
        return f"better so far, but only {facts.days:.1f} of at least {facts.plan.min_days:g} days have passed"
    return "nothing is proven yet"


def _in_words(facts: Facts, evidence: ArmEvidence) -> str:
    metric = "clicked-search rate" if facts.plan.kind == "ab" else "preference"
    return (
        f"{metric} {evidence.estimate:+.4f}, {evidence.confidence:.0%} confidence sequence "
        f"{evidence.low:+.4f} to {evidence.high:+.4f}, after {facts.searches} of {facts.plan.planned_searches} "
        f"planned searches and {facts.days:.1f} days"
    )
