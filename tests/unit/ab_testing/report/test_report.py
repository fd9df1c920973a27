"""What a report holds besides the scorecard."""

from dataclasses import replace
from datetime import UTC, datetime

from ab_testing.decide.look import Look, summarise
from ab_testing.decide.rules import decide
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.report.report import ExperimentReport, build_report, read_days
from ab_testing.report.scorecard import build

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PLAN = ExperimentPlan("test", "interleaving", "v-1", "v-2", planned_searches=400, min_days=0.0, max_days=14.0)
EXPERIMENT = Experiment("default", "e", PLAN, "running", 1, NOW, NOW)


def see(days: float, searches: int) -> Look:
    caps, ratios = summarise({"preference": {"interleaved": {(2520, 2520): searches // 2, (-2520, 2520): 10}}})
    counts = {name: {"interleaved": count} for name, count in (("wins", searches // 2), ("losses", 10), ("ties", 5))}
    look = Look(change=1, days=days, units={"interleaved": searches}, searches={"interleaved": searches})
    return replace(look, caps=caps, ratios=ratios, counts=counts)


def read(*looks: Look, now: Look) -> ExperimentReport:
    card = build(EXPERIMENT, now, decide(PLAN, [now]))
    return build_report(card, read_days(EXPERIMENT, looks), (), NOW)


def test_the_course_ends_with_the_scorecard() -> None:
    report = read(see(0.9, 60), see(1.9, 90), now=see(2.1, 120))
    assert [(day.days, day.searches) for day in report.days] == [(0.9, 60), (1.9, 90), (2.1, 120)]
    assert report.days[-1].evidence == report.scorecard.evidence


def test_a_look_that_was_recorded_is_not_told_twice() -> None:
    assert [day.searches for day in read(see(0.9, 60), see(1.9, 90), now=see(2.1, 90)).days] == [60, 90]


def test_the_funnel_narrows_from_searches_to_preferences() -> None:
    funnel = read(now=see(1.0, 120)).funnel
    assert funnel is not None
    assert (funnel.searches, funnel.differed, funnel.preferred) == (120, 75, 70)
