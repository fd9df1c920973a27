"""An experiment as people read it: what was counted, what it means, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ab_testing.decide.arms import ArmValue
from ab_testing.decide.arms import measure as measure_arms
from ab_testing.decide.evidence import MetricEvidence, weigh
from ab_testing.decide.levels import is_at_end
from ab_testing.decide.look import Look
from ab_testing.decide.rules import Verdict
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import PREFERENCE, known_metrics
from ab_testing.report.sentence import write_sentence
from ab_testing.stats import srm


@dataclass(frozen=True, slots=True)
class ArmReport:
    """What one arm was, and how much it was used."""

    arm: str = field(metadata={"description": "The arm's name, or interleaved."})
    version: str = field(
        metadata={"description": "The version that ranked for it, empty when all did or none of ours."}
    )
    units: int = field(metadata={"description": "Distinct randomization units that searched."})
    searches: int = field(metadata={"description": "Searches answered."})
    clicks: int = field(metadata={"description": "Clicks on their results."})


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric in every arm, and what it says of each treatment."""

    name: str = field(metadata={"description": "Name of the metric."})
    sentence: str = field(metadata={"description": "What it measures."})
    role: str = field(metadata={"description": "success, guardrail, or monitor: only shown."})
    higher_is_better: bool | None = field(metadata={"description": "null: it should stay as it is."})
    values: dict[str, ArmValue] = field(metadata={"description": "Its value in each arm, with an interval."})
    evidence: tuple[MetricEvidence, ...] = field(
        metadata={"description": "The comparison with the control, one for each treatment; none for a monitor."}
    )
    logarithmic: bool = field(
        default=False, metadata={"description": "Whether effects are differences of logarithms, as of a quantile."}
    )


@dataclass(frozen=True, slots=True)
class Preference:
    """How interleaved searches ended for one treatment."""

    treatment: str = field(metadata={"description": "The arm that is compared with the control."})
    wins: int = field(metadata={"description": "Searches whose clicks preferred the treatment."})
    losses: int = field(metadata={"description": "Searches whose clicks preferred the control."})
    ties: int = field(metadata={"description": "Searches that offered a choice and preferred neither."})
    delta: float | None = field(
        metadata={"description": "(wins + ties / 2) / all of them - 1/2 (Chapelle et al. 2012); null without any."}
    )


@dataclass(frozen=True, slots=True)
class Stratum:
    """The comparison in a part of the searches. It decides nothing."""

    name: str = field(
        metadata={"description": "with_evidence: the query had live evidence when it was ranked. without_evidence."}
    )
    evidence: tuple[MetricEvidence, ...] = field(
        metadata={"description": "The comparisons of the plan's metrics in these searches alone."}
    )


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether units fell into the arms as the plan splits them."""

    units: dict[str, int] = field(metadata={"description": "Units of each arm."})
    shares: dict[str, float] = field(metadata={"description": "Planned share of each arm."})
    mixed: int = field(metadata={"description": "Units that were seen in more than one arm; they count in none."})
    chi_square_p_value: float | None = field(metadata={"description": "Valid for one look; null without units."})
    log_bayes_factor: float = field(metadata={"description": "Natural logarithm; valid at every look."})
    mismatch: bool = field(metadata={"description": "Whether the Bayes factor passed 1000; the data are then invalid."})


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything a product owner needs to read of one experiment."""

    experiment: Experiment = field(metadata={"description": "The plan and its state."})
    sentence: str = field(metadata={"description": "How it stands, in one sentence without jargon."})
    days: float = field(metadata={"description": "Days since the start, until the end."})
    searches: int = field(metadata={"description": "Searches that took part."})
    progress: float = field(metadata={"description": "How near the planned end is, 0 to 1."})
    arms: tuple[ArmReport, ...] = field(metadata={"description": "One report for each arm."})
    metrics: tuple[MetricReport, ...] = field(
        metadata={"description": "The metrics of the plan first, then those that are only shown."}
    )
    preferences: tuple[Preference, ...] = field(
        metadata={"description": "Of an interleaving experiment, one for each treatment; else empty."}
    )
    strata: tuple[Stratum, ...] = field(
        metadata={"description": "Searches with and without live evidence, where both sides share it; else none."}
    )
    sample_ratio: SampleRatio | None = field(metadata={"description": "Of an A/B test, else null."})
    verdict: Verdict = field(metadata={"description": "What should be done, and what it follows from."})
    change: int = field(metadata={"description": "Log position: the last change of the evidence that is counted."})

    @property
    def evidence(self) -> MetricEvidence:
        """What the first success metric says of the first treatment."""
        return self.metrics[0].evidence[0]

    def to_json(self) -> dict[str, Any]:
        """Return the scorecard as JSON values, times in ISO 8601."""
        value: dict[str, Any] = json.loads(json.dumps(asdict(self), default=lambda moment: moment.isoformat()))
        return value


def build(experiment: Experiment, look: Look, verdict: Verdict) -> Scorecard:
    """Return the scorecard of `experiment` with what was counted and decided."""
    return Scorecard(
        experiment=experiment,
        sentence=write_sentence(
            experiment.plan,
            look,
            verdict,
            weigh(experiment.plan, look, experiment.alpha),
            started=experiment.run > 0,
        ),
        days=look.days,
        searches=look.total_searches,
        progress=_progress(experiment, look),
        arms=tuple(_arm_reports(experiment, look)),
        metrics=tuple(_metric_reports(experiment, look)),
        preferences=tuple(_preferences(experiment, look)),
        strata=tuple(_strata(experiment, look)),
        sample_ratio=_sample_ratio(experiment, look, verdict),
        verdict=verdict,
        change=look.change,
    )


def _progress(experiment: Experiment, look: Look) -> float:
    plan = experiment.plan
    if is_at_end(plan, look):
        return 1.0
    waited = look.days / plan.min_days if plan.min_days else 1.0
    planned = min(look.total_searches / plan.planned_searches, waited)
    return min(1.0, max(planned, look.days / plan.max_days))


def _arm_reports(experiment: Experiment, look: Look) -> Iterator[ArmReport]:
    versions = {arm.name: arm.version for arm in experiment.plan.arms}
    clicks = look.counts.get("clicks", {})
    for name in experiment.plan.arm_names:
        yield ArmReport(
            name, versions.get(name, ""), look.units.get(name, 0), look.searches.get(name, 0), clicks.get(name, 0)
        )


def _metric_reports(experiment: Experiment, look: Look) -> Iterator[MetricReport]:
    evidence = weigh(experiment.plan, look, experiment.alpha)
    values = {(one.metric, one.arm): one for one in measure_arms(experiment.plan, look, experiment.alpha)}
    planned = dict.fromkeys((one.metric, one.role) for one in evidence)
    named = {name for name, _ in planned}
    shown = [(name, "monitor") for name in (*look.ratios, *look.quantiles) if name not in named]
    known = known_metrics(experiment.plan)
    for name, role in (*planned, *shown):
        metric = known[name]
        arms = _compared(experiment.plan) if name == PREFERENCE else experiment.plan.arm_names
        yield MetricReport(
            name=name,
            sentence=metric.sentence,
            role=role,
            higher_is_better=metric.higher_is_better,
            values={arm: values.get((name, arm), ArmValue(name, arm)) for arm in arms},
            evidence=tuple(one for one in evidence if (one.metric, one.role) == (name, role)),
            logarithmic=metric.quantile is not None,
        )


def _strata(experiment: Experiment, look: Look) -> Iterator[Stratum]:
    for name, ratios in look.strata.items():
        part = replace(look, ratios=ratios, quantiles={}, histories={}, strata={})
        evidence = weigh(experiment.plan, part, experiment.alpha)
        yield Stratum(name, tuple(one for one in evidence if one.measured))


def _compared(plan: ExperimentPlan) -> tuple[str, ...]:
    return tuple(plan.preference_of(arm.name) for arm in plan.arms[1:])


def _preferences(experiment: Experiment, look: Look) -> Iterator[Preference]:
    plan = experiment.plan
    for arm in plan.arms[1:] if plan.kind == "interleaving" else ():
        place = plan.preference_of(arm.name)
        wins, losses, ties = (look.counts.get(name, {}).get(place, 0) for name in ("wins", "losses", "ties"))
        total = wins + losses + ties
        yield Preference(arm.name, wins, losses, ties, (wins + ties / 2) / total - 0.5 if total else None)


def _sample_ratio(experiment: Experiment, look: Look, verdict: Verdict) -> SampleRatio | None:
    plan = experiment.plan
    if plan.kind != "ab":
        return None
    units = {arm.name: look.units.get(arm.name, 0) for arm in plan.arms}
    counts = list(units.values())
    against = verdict.inputs.get("log_bayes_factor", 0.0)
    return SampleRatio(
        units=units,
        shares={arm.name: share for arm, share in zip(plan.arms, plan.shares, strict=True)},
        mixed=look.mixed,
        chi_square_p_value=srm.chi_square_p_value(counts, plan.shares) if sum(counts) else None,
        log_bayes_factor=against,
        mismatch=srm.refuses(against),
    )
