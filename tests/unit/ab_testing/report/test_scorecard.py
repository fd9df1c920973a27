"""What a product owner reads."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ab_testing.decide.look import Look, summarise
from ab_testing.decide.rules import decide
from ab_testing.design.arm import Arm
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.report.scorecard import Scorecard, build

NOW = datetime(2026, 1, 5, tzinfo=UTC)
Tables = dict[str, dict[tuple[int, int], int]]


def read(look: Look, **plan: Any) -> Scorecard:
    values: dict[str, Any] = {"kind": "ab", "planned_searches": 4000, "min_days": 7.0, "max_days": 14.0} | plan
    experiment = Experiment(
        "default", "e", ExperimentPlan("test", control="v-1", treatment="v-2", **values), "running", 1, NOW, NOW
    )
    return build(experiment, look, decide(experiment.plan, [look], experiment.alpha))


def rates(control: float, treatment: float, units: int = 400, each: int = 4) -> Tables:
    return {
        arm: {(each, each): round(units * share), (0, each): units - round(units * share)}
        for arm, share in (("control", control), ("treatment", treatment))
    }


def see(**tables: Tables) -> Look:
    caps, ratios = summarise(tables)
    first = next(iter(tables.values()))
    return Look(
        change=7,
        days=8.0,
        units={arm: sum(table.values()) for arm, table in first.items()},
        searches={arm: sum(y * count for (_, y), count in table.items()) for arm, table in first.items()},
        caps=caps,
        ratios=ratios,
        counts={"clicks": {"control": 480, "treatment": 640}},
    )


def test_arms_tell_their_counts() -> None:
    control, treatment = read(see(click_rate=rates(0.30, 0.40))).arms
    assert (control.arm, control.version, control.units, control.searches, control.clicks) == (
        "control",
        "v-1",
        400,
        1600,
        480,
    )
    assert (treatment.version, treatment.clicks) == ("v-2", 640)


def test_metrics_of_the_plan_come_first_with_their_evidence_and_others_are_only_shown() -> None:
    card = read(see(click_rate=rates(0.30, 0.45), abandonment=rates(0.5, 0.4)))
    assert [(one.name, one.role, len(one.evidence)) for one in card.metrics] == [
        ("click_rate", "success", 1),
        ("p95_latency", "guardrail", 1),
        ("zero_result_rate", "guardrail", 1),
        ("abandonment", "monitor", 0),
    ]
    assert {arm: one.value for arm, one in card.metrics[0].values.items()} == {
        "control": pytest.approx(0.30),
        "treatment": pytest.approx(0.45),
    }
    assert [one.value for one in card.metrics[1].values.values()] == [None, None]
    assert card.evidence.lift == pytest.approx(0.5)


def test_arms_and_effect_have_one_level() -> None:
    card = read(see(click_rate=rates(0.30, 0.45)))
    assert {one.confidence for metric in card.metrics for one in metric.evidence} == {0.99}
    assert {one.confidence for one in card.metrics[0].values.values()} == {0.99}


def test_few_units_have_counts_and_no_effect() -> None:
    card = read(see(click_rate=rates(0.5, 0.5, units=5)))
    assert card.evidence.estimate is None
    assert card.evidence.low is None
    assert [arm.units for arm in card.arms] == [5, 5]


def test_the_sample_ratio_is_told_of_split_units_only() -> None:
    split = read(replace(see(click_rate=rates(0.3, 0.3)), units={"control": 300, "treatment": 150}, mixed=2))
    assert split.sample_ratio is not None
    assert split.sample_ratio.mismatch
    assert split.sample_ratio.units == {"control": 300, "treatment": 150}
    assert split.sample_ratio.mixed == 2
    assert split.verdict.decision == "invalid"
    assert interleaved().sample_ratio is None


def test_without_units_no_number_is_made_up() -> None:
    card = read(Look(change=0, days=0.0, units={}, searches={}))
    assert card.sample_ratio is not None
    assert card.sample_ratio.chi_square_p_value is None
    assert (card.searches, card.evidence.estimate, card.progress) == (0, None, 0.0)


def interleaved() -> Scorecard:
    table: Tables = {"interleaved": {(2520, 2520): 60, (-2520, 2520): 40, (0, 2520): 100}}
    counts = {"wins": {"interleaved": 60}, "losses": {"interleaved": 40}, "ties": {"interleaved": 100}}
    return read(replace(see(preference=table), counts=counts), kind="interleaving")


def test_a_preference_tells_how_searches_ended() -> None:
    [preference] = interleaved().preferences
    assert (preference.treatment, preference.wins, preference.losses, preference.ties) == ("treatment", 60, 40, 100)
    assert preference.delta == pytest.approx(0.05)


def test_each_of_two_interleaved_treatments_is_told() -> None:
    drafted: Tables = {
        "b": {(2520, 2520): 60, (-2520, 2520): 40, (0, 2520): 100},
        "c": {(2520, 2520): 90, (-2520, 2520): 20, (0, 2520): 90},
    }
    ends = (("wins", 2520), ("losses", -2520), ("ties", 0))
    counts = {name: {arm: table[x, 2520] for arm, table in drafted.items()} for name, x in ends}
    arms = (Arm("a", "v-1"), Arm("b", "v-2"), Arm("c", "v-3"))
    card = read(replace(see(preference=drafted), counts=counts), kind="interleaving", arms=arms)
    assert [(one.treatment, one.wins, one.losses) for one in card.preferences] == [("b", 60, 40), ("c", 90, 20)]
    assert card.metrics[0].values.keys() == {"b", "c"}
    assert "The arm c wins: of 110 searches with a preference, 90 went to the arm c and 20 to the old." in card.sentence


def test_progress_grows_with_searches_and_days_and_ends_at_one() -> None:
    early = replace(see(click_rate=rates(0.3, 0.3)), days=3.5)
    assert read(early).progress == pytest.approx(0.5)
    assert read(replace(early, days=14.0)).progress == 1.0


def test_a_scorecard_is_json() -> None:
    value = read(see(click_rate=rates(0.30, 0.45))).to_json()
    assert json.loads(json.dumps(value)) == value
    assert value["experiment"]["created_at"] == "2026-01-05T00:00:00+00:00"
    assert value["change"] == 7
