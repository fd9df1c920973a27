"""What a decision rested on, and whether folding the log again gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ab_testing.decide.look import Look
from ab_testing.decide.rules import Verdict, decide
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.measure import measure
from collector.api import RunTotals

MAX_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class AuditedDecision:
    """A decision compared with what the log says up to its position."""

    decision: str = field(metadata={"description": "The decision's id."})
    verdict: str = field(metadata={"description": "What was decided."})
    change: int = field(metadata={"description": "Log position: the last change of the evidence that it rested on."})
    reproduced: bool = field(metadata={"description": "Whether the plan, every number and the verdict come out again."})
    differences: tuple[str, ...] = field(
        metadata={"description": f"What does not, the first {MAX_DIFFERENCES}; feedback that was erased or removed."}
    )


def judge(experiment: Experiment, looks: Sequence[Look], measured_at: datetime) -> Verdict:
    """Return the verdict of an experiment, with everything that it rests on as JSON values."""
    verdict = decide(experiment.plan, looks, experiment.alpha)
    inputs = {
        "plan": experiment.plan.to_json(),
        "started_at": experiment.started_at.isoformat() if experiment.started_at else "",
        "measured_at": measured_at.isoformat(),
        "winner": verdict.winner,
        **verdict.inputs,
    }
    return replace(verdict, inputs=json.loads(json.dumps(inputs)))


def as_decided(experiment: Experiment, decision: Decision) -> Experiment:
    """Return an experiment as it was when a decision was made, which may be about an earlier run of it."""
    inputs = decision.inputs
    if not inputs.get("started_at"):
        return replace(experiment, run=decision.run)
    return replace(
        experiment,
        plan=ExperimentPlan.from_json(inputs["plan"]),
        run=decision.run,
        started_at=datetime.fromisoformat(inputs["started_at"]),
        ended_at=None,
    )


def compare(
    decision: Decision,
    run: Experiment,
    totals: RunTotals,
    looks: Sequence[Look],
    history: Mapping[str, tuple[int, int]],
) -> AuditedDecision:
    """Return whether a decision follows from its run, folded again up to its log position.

    Args:
        run: The experiment, by `as_decided`.
        looks: The recorded looks of the run, oldest first.
        history: What its units did before the start, as far as the plan uses that.
    """
    if "look" in decision.inputs:
        differences = list(_differences(decision, run, measure_again(decision, run, totals, history), looks))
    else:
        differences = ["it was made by an earlier release, which kept too little to make it again"]
    return AuditedDecision(
        decision=decision.id,
        verdict=decision.verdict,
        change=decision.change,
        reproduced=not differences,
        differences=tuple(differences[:MAX_DIFFERENCES]),
    )


def measure_again(
    decision: Decision, run: Experiment, totals: RunTotals, history: Mapping[str, tuple[int, int]]
) -> Look:
    """Return the look of a decision, as the totals give it."""
    at = datetime.fromisoformat(decision.inputs["measured_at"])
    return measure(totals, run, at, history=history, everything=True)


def _differences(decision: Decision, run: Experiment, look: Look, looks: Sequence[Look]) -> Iterator[str]:
    if run.plan.hash != decision.plan_hash:
        yield f"its plan has hash {run.plan.hash}, and the decision names {decision.plan_hash}"
    stored, found = decision.inputs["look"], look.to_json()
    if "strata" not in stored:  # as in decisions of the release before
        found.pop("strata", None)
    yield from _compare("look", stored, found)
    verdict = decide(run.plan, [*(one for one in looks if one.days <= look.days), look], decision.inputs["alpha"])
    if decision.verdict != "stopped" and (verdict.decision, verdict.reason) != (decision.verdict, decision.reason):
        yield f"the verdict would be {verdict.decision}: {verdict.reason}"


def _compare(place: str, stored: Any, found: Any) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(found, dict):
        for name in sorted(stored.keys() | found.keys()):
            yield from _compare(f"{place}.{name}", stored.get(name), found.get(name))
    elif stored != found:
        yield f"{place} was {stored} and is {found}"
