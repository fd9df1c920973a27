"""What the gate expects of a version, and what an experiment measured of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ab_testing.api import Experiment, MetricEvidence, Scorecard, Trial
from retrainer.autopilot.plans import PREFERENCE_PER_NDCG
from retrainer.diagnosis.intervals import Interval

_CLICK_RATE, _PREFERENCE = "click_rate", "preference"


@dataclass(frozen=True, slots=True)
class GateFigures:
    """What the gate measured of a version.

    Attributes:
        change: Gain of nDCG@10 on judged queries, above 0.
        champion_ndcg: nDCG@10 of the version before on the same.
        judged: How many queries judged.
        differs: Share of them for which the two showed other lists; a lower bound of it in versions of before it was
            kept.
        unjudged: What of the gain comes from results that nobody looked at; None in versions of before it was kept.
    """

    change: float
    champion_ndcg: float
    judged: int
    differs: float
    unjudged: Interval | None


def read_gate(metrics: Mapping[str, Any]) -> GateFigures | None:
    """Return what a version's metrics say, None where the gate expected no gain or did not measure one."""
    if metrics.get("change", 0.0) <= 0 or "champion_ndcg" not in metrics:
        return None
    unjudged = [metrics[f"unjudged_{name}"] for name in ("change", "low", "high") if f"unjudged_{name}" in metrics]
    return GateFigures(
        change=metrics["change"],
        champion_ndcg=metrics["champion_ndcg"],
        judged=metrics["judged"],
        differs=metrics.get("differs", 1 - metrics.get("overlap", 1.0)),
        unjudged=Interval(*unjudged) if len(unjudged) == 3 else None,
    )


@dataclass(frozen=True, slots=True)
class MeasuredEffect:
    """What an experiment measured of a version, and what it should have by the gate, in one unit.

    An interleaved search counts with its preference, one whose lists are equal with 0: few lists that differ make no
    large effect. In an A/B test it is the click rate, which should rise by as large a share as nDCG@10 does.

    Attributes:
        units: Randomization units that took part.
        found: Whether the experiment's own test proved the version better or worse.
    """

    experiment: Experiment
    searches: int
    units: int
    estimate: float
    standard_error: float
    expected: float
    trial: Trial
    found: bool


def arm_of(experiment: Experiment, version: str) -> str | None:
    """Return the treatment of an experiment that is a version, None without one."""
    return next((arm.name for arm in experiment.plan.arms[1:] if arm.version == version), None)


def read_effect(card: Scorecard, version: str, gate: GateFigures) -> MeasuredEffect | None:
    """Return what an experiment measured of a version; None where that is not the version or too little to say."""
    plan, arm = card.experiment.plan, arm_of(card.experiment, version)
    name = _PREFERENCE if plan.kind == "interleaving" else _CLICK_RATE
    said = [one for metric in card.metrics for one in metric.evidence if one.treatment == arm and one.metric == name]
    if not said or said[0].estimate is None or not said[0].standard_error:
        return None
    scale, expected = _scale(card, said[0], gate)
    if scale <= 0 or expected <= 0:
        return None
    return MeasuredEffect(
        experiment=card.experiment,
        searches=card.searches,
        units=sum(one.units for one in card.arms),
        estimate=scale * said[0].estimate,
        standard_error=scale * said[0].standard_error,
        expected=expected,
        trial=Trial(
            alpha=card.experiment.alpha,
            sequential=plan.test == "sequential",
            shares=() if plan.kind == "interleaving" else plan.shares[:2],
            comparisons=len(plan.success) * (len(plan.arms) - 1) if plan.aim == "gain" else 1,
        ),
        found=said[0].superior or said[0].inferior,
    )


def _scale(card: Scorecard, said: MetricEvidence, gate: GateFigures) -> tuple[float, float]:
    """Return what makes the effect one of all searches, and what the gate leads to expect of that."""
    if said.metric == _PREFERENCE:
        offered = next(one for one in card.preferences if one.treatment == said.treatment)
        differing = offered.wins + offered.losses + offered.ties
        return differing / max(card.searches, 1), gate.change * PREFERENCE_PER_NDCG
    return 1.0, (said.control_value or 0.0) * gate.change / max(gate.champion_ndcg, 1e-9)
