"""The whole report of an experiment: how it stands, how it came there, and what was decided (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ab_testing.decide.evidence import MetricEvidence, weigh
from ab_testing.decide.look import Look
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.report.scorecard import Scorecard


@dataclass(frozen=True, slots=True)
class ExperimentDay:
    """How an experiment stood at the last look of a day."""

    days: float = field(metadata={"description": "Days since the start."})
    searches: int = field(metadata={"description": "Searches that had taken part."})
    evidence: MetricEvidence = field(
        metadata={"description": "What the first success metric said of the first treatment."}
    )


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many interleaved searches can say anything, and how many do."""

    searches: int = field(metadata={"description": "Searches that took part."})
    differed: int = field(metadata={"description": "Those whose lists differ, so that a click can choose."})
    preferred: int = field(metadata={"description": "Those whose clicks chose a side."})


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """Everything that is told of one experiment."""

    scorecard: Scorecard = field(metadata={"description": "How it stands, or stood when it ended."})
    funnel: Funnel | None = field(
        metadata={"description": "Of an interleaving experiment's first treatment, else null."}
    )
    days: tuple[ExperimentDay, ...] = field(
        metadata={"description": "The effect over the searches, at the last look of each day, oldest first."}
    )
    decisions: tuple[Decision, ...] = field(metadata={"description": "What was decided, newest first."})
    made_at: datetime = field(metadata={"description": "When the report was made."})


def build_report(
    card: Scorecard, days: Iterable[ExperimentDay], decisions: Iterable[Decision], made_at: datetime
) -> ExperimentReport:
    """Return the report of an experiment; the scorecard's own look ends the days where it is a later one."""
    course = list(days)
    if not course or course[-1].searches < card.searches:
        course.append(ExperimentDay(card.days, card.searches, card.evidence))
    return ExperimentReport(card, _funnel(card), tuple(course), tuple(decisions), made_at)


def read_days(experiment: Experiment, looks: Iterable[Look]) -> tuple[ExperimentDay, ...]:
    """Return how the present run stood at each of its looks."""
    plan, alpha = experiment.plan, experiment.alpha
    return tuple(ExperimentDay(look.days, look.total_searches, weigh(plan, look, alpha)[0]) for look in looks)


def _funnel(card: Scorecard) -> Funnel | None:
    if not card.preferences:
        return None
    one = card.preferences[0]
    return Funnel(card.searches, one.wins + one.losses + one.ties, one.wins + one.losses)
