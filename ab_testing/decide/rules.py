"""From looks to a decision. Pure: the same plan and looks always give the same verdict.

The ship rule of Schultzberg et al. (arXiv:2402.11609). Arms that do not fit the split are invalid. Proven harm rolls
back at once. A treatment is promoted when a success metric is proven better, no guardrail is worse than its margin, and
the minimum number of days has passed. What is not proven at the planned end keeps the control.

A plan that aims at no harm asks for the guardrails alone: its treatment won elsewhere. A holdback's treatment serves
already and stays, unless harm is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ab_testing.decide.evidence import MIN_UNITS, MetricEvidence, weigh
from ab_testing.decide.levels import is_at_end
from ab_testing.decide.look import Look
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import known_metrics
from ab_testing.stats import srm

Word = Literal["invalid", "rollback", "promote", "keep_control", "continue", "stopped"]

MAX_MIXED_SHARE = 0.01
"""Share of units in more than one arm above which an experiment is invalid."""

MIN_MIXED = 5
"""Mixed units that it takes to say so: one of the first fifty proves nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What should be done with the treatments."""

    decision: Word = field(
        metadata={
            "description": "invalid, rollback, promote and keep_control end the experiment; continue does not. "
            "stopped: a person ended it."
        }
    )
    reason: str = field(metadata={"description": "Why, in words."})
    winner: str | None = field(default=None, metadata={"description": "The arm to promote; null without a promotion."})
    inputs: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "description": "The look, its alpha and the largest Bayes factor against the split so far; deciding on "
            "them again gives this verdict."
        },
    )

    @property
    def final(self) -> bool:
        """Whether it ends the experiment."""
        return self.decision != "continue"


def decide(plan: ExperimentPlan, looks: Sequence[Look], alpha: float | None = None) -> Verdict:
    """Return what should be done.

    Args:
        plan: A plan whose metrics `check_metrics` accepts.
        looks: The looks so far, the present one last. Of the earlier ones only their units count: once they did not
            fit the split, the experiment stays invalid.
        alpha: What is left of the plan's alpha for this run; all of it when None.
    """
    look, spent = looks[-1], plan.alpha if alpha is None else alpha
    against = split_evidence(plan, looks)
    inputs = {"alpha": spent, "log_bayes_factor": against, "look": look.to_json()}
    decision, reason, winner = _decide(plan, look, against, spent)
    return Verdict(decision, reason, winner, inputs)


def split_evidence(plan: ExperimentPlan, looks: Sequence[Look]) -> float:
    """Return ln of the largest Bayes factor against the split that any look saw; 0 where nothing is split."""
    if plan.kind != "ab":
        return 0.0
    return max(srm.log_bayes_factor(_counts(plan, look.units), plan.shares) for look in looks)


def _decide(plan: ExperimentPlan, look: Look, against: float, alpha: float) -> tuple[Word, str, str | None]:
    fault = next(_faults(plan, look, against), None)
    if fault:
        return "invalid", fault, None
    evidence = weigh(plan, look, alpha)
    harm = [one for one in evidence if one.harmful]
    if harm:
        return (
            "rollback",
            f"{_subject(plan, harm[0])} does harm: {_figures(plan, harm[0])}, {_progress(plan, look)}",
            None,
        )
    if plan.aim != "gain":
        return _without_gain(plan, look, evidence)
    better = [one for one in evidence if one.role == "success" and one.superior]
    blocked = {one.treatment: tuple(_blocking(evidence, one.treatment)) for one in better}
    winners = [one for one in better if not blocked[one.treatment]]
    if winners and look.days >= plan.min_days and (plan.test == "sequential" or is_at_end(plan, look)):
        best = _best(plan, winners)
        reason = f"{_subject(plan, best)} is better: {_figures(plan, best)}, {_progress(plan, look)}"
        return "promote", reason + _unmeasured(evidence, best.treatment), best.treatment
    waiting = _waiting(plan, look, evidence, blocked)
    if is_at_end(plan, look):
        return "keep_control", f"at the planned end {waiting}, {_progress(plan, look)}", None
    return "continue", f"{waiting}, {_progress(plan, look)}", None


def _without_gain(plan: ExperimentPlan, look: Look, evidence: Sequence[MetricEvidence]) -> tuple[Word, str, str | None]:
    """Return what follows where no harm is proven and a gain is not asked for."""
    treatment, at_end = plan.arms[1].name, is_at_end(plan, look)
    if plan.aim == "holdback":
        said = f"no harm is proven, {_progress(plan, look)}"
        return ("promote", said, treatment) if at_end else ("continue", said, None)
    guarded = [one for one in evidence if one.role == "guardrail" and one.measured]
    doubtful = next((one for one in guarded if not one.non_inferior), None)
    if guarded and doubtful is None and look.days >= plan.min_days and (plan.test == "sequential" or at_end):
        names = ", ".join(one.metric for one in guarded)
        reason = f"no guardrail is worse by more than its margin: {names}, {_progress(plan, look)}"
        return "promote", reason + _unmeasured(evidence, treatment), treatment
    waiting = (
        f"{_subject(plan, doubtful)} is not cleared: {_doubt(doubtful)}" if doubtful else "no guardrail is in doubt"
    )
    waiting = waiting if guarded else "no guardrail was measured"
    if at_end:
        return "keep_control", f"at the planned end {waiting}, {_progress(plan, look)}", None
    return "continue", f"{waiting}, {_progress(plan, look)}", None


def _faults(plan: ExperimentPlan, look: Look, against: float) -> Iterator[str]:
    """Yield why nothing that was measured can be believed."""
    seen = look.mixed + sum(look.units.values())
    if look.mixed >= MIN_MIXED and look.mixed > MAX_MIXED_SHARE * seen:
        yield (
            f"{look.mixed} of {seen} units were seen in more than one arm, more than {MAX_MIXED_SHARE:.0%}; "
            "check that users keep their id"
        )
    if plan.kind != "ab":
        return
    if srm.refuses(against):
        yield f"{_split(plan, look.units)}; check assignment and logging"
    segments = {name: _counts(plan, units) for name, units in look.splits.items()}
    for name in srm.mismatched_segments(segments, plan.shares):
        yield f"in the segment {name} {_split(plan, look.splits[name])}; check assignment and logging there"


def _counts(plan: ExperimentPlan, units: dict[str, int]) -> list[int]:
    return [units.get(arm.name, 0) for arm in plan.arms]


def _split(plan: ExperimentPlan, units: dict[str, int]) -> str:
    counts = " and ".join(map(str, _counts(plan, units)))
    shares = " and ".join(f"{share:.0%}" for share in plan.shares)
    return f"{counts} units do not fit the planned split of {shares}"


def _blocking(evidence: Sequence[MetricEvidence], treatment: str) -> Iterator[MetricEvidence]:
    """Yield the guardrails that hold a treatment back; one that nobody measured does not."""
    for one in evidence:
        if one.role == "guardrail" and one.treatment == treatment and one.measured and not one.non_inferior:
            yield one


def _best(plan: ExperimentPlan, winners: Sequence[MetricEvidence]) -> MetricEvidence:
    """Return the winner with the largest gain in the first success metric that any of them improved."""
    first = min(winners, key=lambda one: plan.success.index(one.metric)).metric
    return max((one for one in winners if one.metric == first), key=lambda one: abs(one.estimate or 0.0))


def _waiting(
    plan: ExperimentPlan,
    look: Look,
    evidence: Sequence[MetricEvidence],
    blocked: dict[str, tuple[MetricEvidence, ...]],
) -> str:
    """Return why nothing is promoted."""
    success = [one for one in evidence if one.role == "success"]
    better = [one for one in success if one.superior]
    held = [one for one in better if blocked[one.treatment]]
    if len(held) < len(better):
        one = next(one for one in better if one not in held)
        days = f"only {look.days:.1f} of at least {plan.min_days:g} days have passed"
        return f"{_subject(plan, one)} is better so far, but {days}: {_figures(plan, one)}"
    if held:
        guardrail = blocked[held[0].treatment][0]
        return f"{_subject(plan, held[0])} is better, but {_doubt(guardrail)}: {_figures(plan, held[0])}"
    known = [one for one in success if one.estimate is not None]
    if not known:
        return f"nothing can be said: each arm needs {MIN_UNITS} equally busy units, and has fewer"
    clearest = max(known, key=lambda one: abs(one.estimate or 0.0) / (one.standard_error or 1.0))
    if clearest.inferior:
        return f"{_subject(plan, clearest)} is worse: {_figures(plan, clearest)}"
    return f"nothing is proven: {_subject(plan, clearest)} has {_figures(plan, clearest)}"


def _doubt(guardrail: MetricEvidence) -> str:
    if guardrail.estimate is None:
        return f"its guardrail {guardrail.metric} was measured too rarely"
    margin = f"{guardrail.margin:g}"
    ends = f"{_number(guardrail.low)} to {_number(guardrail.high)}"
    return f"its guardrail {guardrail.metric} may be worse by more than {margin} ({guardrail.estimate:+.4f}, {ends})"


def _unmeasured(evidence: Sequence[MetricEvidence], treatment: str) -> str:
    names = [one.metric for one in evidence if one.treatment == treatment and not one.measured]
    return f"; not measured: {', '.join(names)}" if names else ""


def _subject(plan: ExperimentPlan, one: MetricEvidence) -> str:
    return "the treatment" if len(plan.arms) == 2 else f"the arm {one.treatment}"


def _figures(plan: ExperimentPlan, one: MetricEvidence) -> str:
    unit = " (log ratio)" if known_metrics(plan)[one.metric].quantile is not None else ""
    interval = f"{100 * one.confidence:.4g}% interval {_number(one.low)} to {_number(one.high)}"
    return f"{one.metric} {one.estimate:+.4f}{unit}, {interval}"


def _number(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:+.4f}"


def _progress(plan: ExperimentPlan, look: Look) -> str:
    return f"after {look.total_searches} of {plan.planned_searches} planned searches and {look.days:.1f} days"
