"""One sentence without jargon that says how an experiment stands (pure)."""

from __future__ import annotations

from ab_testing.decide.evidence import MetricEvidence
from ab_testing.decide.look import Look
from ab_testing.decide.rules import Verdict
from ab_testing.design.metric import Metric
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import known_metrics

_STARS = "csat"
_UNSEEN = "How often people click, how they rate and how long they wait with the new one alone was not measured."


def write_sentence(
    plan: ExperimentPlan, look: Look, verdict: Verdict, evidence: tuple[MetricEvidence, ...], *, started: bool
) -> str:
    """Return what a product owner wants to know first.

    Args:
        evidence: What each metric of the plan says, by `ab_testing.decide.evidence.weigh`.
        started: Whether the experiment ever took traffic.
    """
    if not started:
        return "It has not been started."
    if verdict.decision == "stopped":
        return f"Stopped without a verdict: {verdict.reason}."
    old = "The new one stays" if plan.aim == "holdback" else "The old one stays"
    if verdict.decision == "invalid":
        return f"The numbers cannot be trusted: {verdict.reason}. {old}."
    if not look.total_searches:
        return f"It ended: {verdict.reason}." if verdict.final else "Nobody has taken part yet."
    found = _subject(evidence, verdict)
    told = _figures(plan, look, found) if found else "too few people took part to say anything"
    new = _new_one(plan, found)
    if plan.aim != "gain":
        return _without_gain(plan, verdict, told)
    if verdict.decision == "promote":
        unseen = f" {_UNSEEN}" if plan.kind == "interleaving" else ""
        return f"{new} wins: {told}.{unseen}"
    if verdict.decision == "rollback":
        return f"{new} does harm: {told}. The old one stays."
    if verdict.decision == "keep_control":
        return _kept(new, told, evidence, found)
    return f"Undecided so far: {told}."


def _without_gain(plan: ExperimentPlan, verdict: Verdict, told: str) -> str:
    """Return the sentence of a test for harm alone."""
    serves = plan.aim == "holdback"
    if verdict.decision == "rollback":
        return f"The new one does harm: {told}. The old one {'comes back' if serves else 'stays'}."
    if verdict.decision == "promote":
        return f"No harm was found: {told}. The new one {'stays' if serves else 'may serve'}."
    if verdict.decision == "keep_control":
        return f"It is not sure that the new one does no harm: {told}. The old one stays."
    return f"No harm so far: {told}."


def _kept(new: str, told: str, evidence: tuple[MetricEvidence, ...], found: MetricEvidence | None) -> str:
    if found is not None and found.inferior:
        return f"The old one is better: {told}. It stays."
    if found is not None and found.superior:
        guards = [one for one in evidence if one.role == "guardrail" and one.treatment == found.treatment]
        doubtful = next(one.metric for one in guards if one.measured and not one.non_inferior)
        return f"{new} is better, but {_words(doubtful)} may have become worse: {told}. The old one stays."
    chance = "; chance alone does that" if found is not None and found.estimate is not None else ""
    return f"No winner: {told}{chance}. The old one stays."


def _subject(evidence: tuple[MetricEvidence, ...], verdict: Verdict) -> MetricEvidence | None:
    """Return the comparison that the verdict rests on, else the first success metric that was measured."""
    known = [one for one in evidence if one.estimate is not None]
    if verdict.decision == "rollback":
        return next((one for one in known if one.harmful), None)
    success = [one for one in known if one.role == "success"]
    if verdict.winner:
        success = [one for one in success if one.treatment == verdict.winner]
    proven = [*(one for one in success if one.superior), *(one for one in success if one.inferior)]
    return next(iter(proven or success), None)


def _figures(plan: ExperimentPlan, look: Look, one: MetricEvidence) -> str:
    if plan.kind == "interleaving":
        place = plan.preference_of(one.treatment)
        wins, losses = (look.counts.get(name, {}).get(place, 0) for name in ("wins", "losses"))
        new = "the new ranking" if len(plan.arms) == 2 else f"the arm {one.treatment}"
        told = f"of {wins + losses} searches with a preference, {wins} went to {new} and {losses} to the old"
        return told + _weighed(wins - losses, one)
    metric = known_metrics(plan)[one.metric]
    after, before = (_value(metric, value) for value in (one.treatment_value, one.control_value))
    return f"{_words(one.metric)} is {after} with the new one and {before} with the old"


def _weighed(lead: int, one: MetricEvidence) -> str:
    """Return why the counts and the weighed preference name different sides, where they do."""
    if (one.superior and lead <= 0) or (one.inferior and lead >= 0):
        side = "new" if one.superior else "old"
        return f", and those whose lists differ near the top, which count most, to the {side}"
    return ""


def _new_one(plan: ExperimentPlan, found: MetricEvidence | None) -> str:
    if found is None or len(plan.arms) == 2:
        return "The new ranking" if plan.kind == "interleaving" else "The new one"
    return f"The arm {found.treatment}"


def _value(metric: Metric, value: float | None) -> str:
    if value is None:
        return "unknown"
    if metric.quantile is not None:
        return f"{value:.0f} ms"
    if metric.name == _STARS:
        return f"{value:.2f} stars"
    shares = metric.scale == 1 and 0 <= value <= 1
    return f"{value:.1%}" if shares else f"{value:.3g}"


def _words(metric: str) -> str:
    return "the mean rating" if metric == _STARS else "the " + metric.replace("_", " ")
