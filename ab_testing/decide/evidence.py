"""What a look says of each metric: the effect on every treatment, how sure it is, and what is proven."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ab_testing.decide.levels import Levels, levels_of
from ab_testing.decide.look import Look
from ab_testing.design.metric import Metric
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import guardrails_of, known_metrics
from ab_testing.stats.cuped import adjust
from ab_testing.stats.multiplicity import holm
from ab_testing.stats.ratio import Estimate, difference, log_lift

MIN_UNITS = 10
"""Effective units that each arm needs before a metric says anything."""


@dataclass(frozen=True, slots=True)
class MetricEvidence:
    """What one metric says of one treatment against the control."""

    metric: str = field(metadata={"description": "Name of the metric; see GET /v1/metrics."})
    treatment: str = field(metadata={"description": "Name of the arm that is compared with the control."})
    role: Literal["success", "guardrail"] = field(metadata={"description": "What the plan uses it for."})
    control_value: float | None = field(default=None, metadata={"description": "The metric in the control."})
    treatment_value: float | None = field(default=None, metadata={"description": "The metric in the treatment."})
    estimate: float | None = field(
        default=None,
        metadata={
            "description": "Treatment minus control in the metric's own unit; the difference of logarithms for a "
            "quantile; null where too few units were measured."
        },
    )
    standard_error: float | None = field(
        default=None, metadata={"description": "Standard error of the estimate, clustered by unit."}
    )
    low: float | None = field(default=None, metadata={"description": "Lower end of its interval."})
    high: float | None = field(default=None, metadata={"description": "Upper end of its interval."})
    confidence: float = field(
        default=0.0,
        metadata={
            "description": "Probability that the interval covers the truth: at all looks together in a sequential "
            "test, at the planned end in a fixed one."
        },
    )
    lift: float | None = field(
        default=None, metadata={"description": "Effect relative to the control; null where that is too uncertain."}
    )
    p_value: float | None = field(
        default=None, metadata={"description": "Valid at every look, adjusted (Holm); null in a fixed test."}
    )
    final_p_value: float | None = field(
        default=None, metadata={"description": "Of the one test at the planned end, adjusted (Holm); null before it."}
    )
    margin: float | None = field(default=None, metadata={"description": "Largest harm that a guardrail tolerates."})
    superior: bool = field(default=False, metadata={"description": "Whether the treatment is proven better."})
    inferior: bool = field(default=False, metadata={"description": "Whether it is proven worse, two-sided."})
    non_inferior: bool | None = field(
        default=None, metadata={"description": "Whether harm beyond the margin is ruled out; null without a margin."}
    )
    harmful: bool = field(default=False, metadata={"description": "Whether the one-sided sequence proves harm."})
    measured: bool = field(default=False, metadata={"description": "Whether anything was measured in any arm."})
    known: float | None = field(
        default=None, metadata={"description": "Share of the units whose history reduced the noise (CUPED)."}
    )


def weigh(plan: ExperimentPlan, look: Look, alpha: float | None = None) -> tuple[MetricEvidence, ...]:
    """Return what each metric of the plan says of each treatment: success metrics first, then guardrails.

    Args:
        alpha: What is left of the plan's alpha for this run; all of it when None.
    """
    levels = levels_of(plan, look, alpha)
    arms = [arm.name for arm in plan.arms[1:]]
    success = [_weigh_one(plan, look, levels, (name, arm)) for name in plan.success for arm in arms]
    guarded = [(one.metric, arm, one.margin) for one in guardrails_of(plan) for arm in arms]
    guardrails = [_weigh_one(plan, look, levels, (name, arm), margin) for name, arm, margin in guarded]
    return (*_adjusted(plan, success, levels), *guardrails)


def _adjusted(plan: ExperimentPlan, evidence: Sequence[MetricEvidence], levels: Levels) -> Iterator[MetricEvidence]:
    """Yield the evidence with p-values adjusted over all success metrics and treatments, and what they prove."""
    running = holm({place: one.p_value for place, one in enumerate(evidence)})
    known = known_metrics(plan)
    final = holm({place: one.final_p_value for place, one in enumerate(evidence)})
    for place, one in enumerate(evidence):
        if one.estimate is None:
            yield one
            continue
        found = (one.p_value is not None and running[place] <= levels.running_alpha) or (
            one.final_p_value is not None and final[place] <= levels.final_alpha
        )
        gain = one.estimate * _sign(known[one.metric])
        yield replace(
            one,
            p_value=None if one.p_value is None else running[place],
            final_p_value=None if one.final_p_value is None else final[place],
            superior=found and gain > 0,
            inferior=found and gain < 0,
        )


def _weigh_one(
    plan: ExperimentPlan, look: Look, levels: Levels, compared: tuple[str, str], margin: float | None = None
) -> MetricEvidence:
    name, arm = compared
    metric = known_metrics(plan)[name]
    empty = MetricEvidence(
        metric=name,
        treatment=arm,
        role="success" if margin is None else "guardrail",
        margin=margin,
        confidence=levels.confidence,
        non_inferior=None if margin is None else False,
        measured=_measured(look, metric),
    )
    sides, known = _sides(plan, look, metric, arm)
    if sides is None:
        return empty
    control, treatment = sides
    effect = difference(control, treatment)
    half_width = levels.half_width(effect)
    p_value, final_p_value = levels.p_values(effect)
    towards_better = replace(effect, value=effect.value * _sign(metric))
    return replace(
        empty,
        control_value=_shown(metric, plan, control),
        treatment_value=_shown(metric, plan, treatment),
        estimate=effect.value,
        standard_error=effect.standard_error,
        low=effect.value - half_width if math.isfinite(half_width) else None,
        high=effect.value + half_width if math.isfinite(half_width) else None,
        lift=_lift(metric, plan, control, treatment),
        p_value=p_value,
        final_p_value=final_p_value,
        non_inferior=None if margin is None else _is_non_inferior(metric, levels, sides, margin),
        harmful=metric.higher_is_better is not None and levels.harmful(towards_better),
        known=known,
    )


def _measured(look: Look, metric: Metric) -> bool:
    if metric.quantile is not None:
        return bool(look.quantiles.get(metric.name))
    return any(one.n for one in look.ratios.get(metric.name, {}).values())


def _sides(
    plan: ExperimentPlan, look: Look, metric: Metric, arm: str
) -> tuple[tuple[Estimate, Estimate] | None, float | None]:
    """Return the estimates of control and treatment, None where an arm has too little, and the share with history."""
    name, pair = metric.name, (plan.arms[0].name, arm)
    if metric.quantile is not None:
        quantiles = look.quantiles.get(name, {})
        if not all(one in quantiles for one in pair):
            return None, None
        return (quantiles[pair[0]].logarithm, quantiles[pair[1]].logarithm), None
    ratios = look.ratios.get(name, {})
    if plan.kind == "interleaving":
        drafted = ratios.get(plan.preference_of(arm))
        enough = drafted is not None and drafted.effective_units >= MIN_UNITS
        return ((Estimate(0.0, 0.0), drafted.estimate()), None) if drafted and enough else (None, None)
    if any(one not in ratios or ratios[one].effective_units < MIN_UNITS for one in pair):
        return None, None
    if plan.cuped and all(one in look.histories.get(name, {}) for one in pair):
        freed = adjust({one: sums for one, sums in look.histories[name].items() if sums.ratio.n >= MIN_UNITS})
        return (freed.arms[pair[0]], freed.arms[pair[1]]), freed.known
    return (ratios[pair[0]].estimate(), ratios[pair[1]].estimate()), None


def _is_non_inferior(metric: Metric, levels: Levels, sides: tuple[Estimate, Estimate], margin: float) -> bool:
    """Return whether a loss beyond the margin is ruled out; a change, for a metric that should stay as it is."""
    signs = (1, -1) if metric.higher_is_better is None else (_sign(metric),)
    return all(levels.above_zero(_above_margin(metric, sides, margin, sign)) for sign in signs)


def _above_margin(metric: Metric, sides: tuple[Estimate, Estimate], margin: float, sign: int) -> Estimate:
    """Return by how much the treatment lies on the good side of the margin.

    A relative margin moves with the control, which adds its noise: T - (1 - margin) C for a metric that should rise.
    """
    control, treatment = sides
    if metric.quantile is not None:
        effect, tolerated = difference(control, treatment), math.log1p(margin)
    elif metric.relative:
        effect, tolerated = difference(control, treatment, factor=1 - sign * margin), 0.0
    else:
        effect, tolerated = difference(control, treatment), margin
    return replace(effect, value=sign * effect.value + tolerated)


def _sign(metric: Metric) -> int:
    """Return 1 for a metric that should rise or stay, -1 for one that should fall."""
    return -1 if metric.higher_is_better is False else 1


def _shown(metric: Metric, plan: ExperimentPlan, estimate: Estimate) -> float | None:
    if plan.kind == "interleaving":
        return None
    return math.exp(estimate.value) if metric.quantile is not None else estimate.value


def _lift(metric: Metric, plan: ExperimentPlan, control: Estimate, treatment: Estimate) -> float | None:
    if plan.kind == "interleaving":
        return None
    ratio = difference(control, treatment) if metric.quantile is not None else log_lift(control, treatment)
    return None if ratio is None else math.expm1(ratio.value)
