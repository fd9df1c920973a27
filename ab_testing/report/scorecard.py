"""An experiment as people read it: what was counted, what it means, what to do."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ab_testing.decide.verdict import MIN_UNITS, SPLIT, ArmEvidence, Facts, Verdict, judge, split_counts, weigh
from ab_testing.design.assignment import ARMS
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import INTERLEAVED
from ab_testing.stats import srm
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import log_lift
from ab_testing.stats.sequential import Hybrid, critical_value


@dataclass(frozen=True, slots=True)
class ArmReport:
    """One arm's counts and its click rate."""

    arm: str = field(metadata={"description": "control, treatment or interleaved."})
    version: str = field(metadata={"description": "The version that ranked for it, empty when both did."})
    units: int = field(metadata={"description": "Distinct users (else sessions, else queries) that searched."})
    searches: int = field(metadata={"description": "Searches answered."})
    clicks: int = field(metadata={"description": "Clicks on their results."})
    click_rate: float | None = field(
        metadata={"description": "Share of searches with a click; null while there are too few units."}
    )
    low: float | None = field(metadata={"description": "Lower end of its confidence sequence, at 1 - alpha."})
    high: float | None = field(metadata={"description": "Upper end of its confidence sequence, at 1 - alpha."})


@dataclass(frozen=True, slots=True)
class Lift:
    """The treatment's click rate relative to the control's: 0.05 is five percent more."""

    value: float = field(metadata={"description": "Ratio of the click rates, less 1."})
    low: float = field(metadata={"description": "Lower end of its confidence sequence."})
    high: float = field(metadata={"description": "Upper end of its confidence sequence."})
    confidence: float = field(metadata={"description": "Probability that the sequence covers the truth at all looks."})


@dataclass(frozen=True, slots=True)
class Preference:
    """How interleaved searches ended."""

    wins: int = field(metadata={"description": "Searches whose clicks preferred the treatment."})
    losses: int = field(metadata={"description": "Searches whose clicks preferred the control."})
    ties: int = field(metadata={"description": "Searches that offered a choice and preferred neither."})
    delta: float | None = field(
        metadata={"description": "(wins + ties / 2) / all of them - 1/2 (Chapelle et al. 2012); null without any."}
    )


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether units fell into the arms as the split says."""

    control: int = field(metadata={"description": "Units of the control."})
    treatment: int = field(metadata={"description": "Units of the treatment."})
    chi_square_p_value: float = field(metadata={"description": "Valid for one look; for orientation."})
    log_bayes_factor: float = field(metadata={"description": "Natural logarithm; valid at every look."})
    mismatch: bool = field(metadata={"description": "Whether the Bayes factor passed 1000; the data are then invalid."})


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything a product owner needs to read of one experiment."""

    experiment: Experiment = field(metadata={"description": "The plan and its state."})
    days: float = field(metadata={"description": "Days since the start, until the end."})
    searches: int = field(metadata={"description": "Searches that took part."})
    progress: float = field(metadata={"description": "How near the planned end is, 0 to 1."})
    arms: tuple[ArmReport, ...] = field(metadata={"description": "One report for each arm."})
    evidence: ArmEvidence | None = field(
        metadata={"description": "The primary metric and its test; null while there are too few units."}
    )
    lift: Lift | None = field(
        metadata={"description": "Relative lift of an A/B test; null while the rates are too uncertain to divide."}
    )
    preference: Preference | None = field(metadata={"description": "Of an interleaving experiment, else null."})
    sample_ratio: SampleRatio | None = field(metadata={"description": "Of an A/B test, else null."})
    verdict: Verdict = field(metadata={"description": "What should be done, and the facts it follows from."})

    def to_json(self) -> dict[str, Any]:
        """Return the scorecard as JSON values, times in ISO 8601."""
        value: dict[str, Any] = json.loads(json.dumps(asdict(self), default=lambda moment: moment.isoformat()))
        return value


def build(experiment: Experiment, facts: Facts) -> Scorecard:
    """Return the scorecard of `experiment` with what was counted."""
    return Scorecard(
        experiment=experiment,
        days=facts.days,
        searches=facts.searches,
        progress=_progress(facts),
        arms=tuple(_report(facts, name) for name in facts.plan.arm_names),
        evidence=weigh(facts),
        lift=_lift(facts),
        preference=_preference(facts),
        sample_ratio=_sample_ratio(facts),
        verdict=judge(facts),
    )


def _progress(facts: Facts) -> float:
    plan = facts.plan
    waited = facts.days / plan.min_days if plan.min_days else 1.0
    planned = min(facts.searches / plan.planned_searches, waited)
    return min(1.0, max(planned, facts.days / plan.max_days))


def _report(facts: Facts, name: str) -> ArmReport:
    arm = facts.arms[name]
    rate, low, high = _click_rate(facts, arm) if arm.click_rate.effective_units >= MIN_UNITS else (None, None, None)
    version = {"control": facts.plan.control, "treatment": facts.plan.treatment}.get(name, "")
    return ArmReport(name, version, arm.units, arm.searches, arm.clicks, rate, low, high)


def _click_rate(facts: Facts, arm: ArmStatistics) -> tuple[float, float, float]:
    rate = arm.click_rate.estimate()
    planned = facts.plan.planned_searches / len(facts.plan.arm_names)
    half_width = critical_value(arm.searches, planned, facts.plan.alpha) * rate.standard_error
    return rate.value, max(0.0, rate.value - half_width), min(1.0, rate.value + half_width)


def _lift(facts: Facts) -> Lift | None:
    if facts.plan.kind != "ab" or weigh(facts) is None:
        return None
    control, treatment = (facts.arms[arm].click_rate.estimate() for arm in ARMS)
    ratio = log_lift(control, treatment)
    if ratio is None:
        return None
    test = Hybrid(facts.plan.alpha, facts.plan.planned_searches)
    half_width = test.running_critical_value(facts.searches) * ratio.standard_error
    low, high = math.expm1(ratio.value - half_width), math.expm1(ratio.value + half_width)
    return Lift(math.expm1(ratio.value), low, high, 1 - test.running_alpha)


def _preference(facts: Facts) -> Preference | None:
    if facts.plan.kind != "interleaving":
        return None
    arm: ArmStatistics = facts.arms[INTERLEAVED]
    total = arm.wins + arm.losses + arm.ties
    delta = (arm.wins + arm.ties / 2) / total - 0.5 if total else None
    return Preference(arm.wins, arm.losses, arm.ties, delta)


def _sample_ratio(facts: Facts) -> SampleRatio | None:
    counts = split_counts(facts)
    if counts is None:
        return None
    return SampleRatio(
        control=counts[0],
        treatment=counts[1],
        chi_square_p_value=srm.chi_square_p_value(counts, SPLIT),
        log_bayes_factor=srm.log_bayes_factor(counts, SPLIT),
        mismatch=srm.mismatch(counts, SPLIT),
    )
