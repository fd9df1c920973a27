"""The ship rule, case by case. Default facts: 3,200 of 4,000 planned searches, day 8 of 7 to 14."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ab_testing.decide.verdict import MIN_UNITS, Facts, judge, weigh
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import RatioStatistics

MakeFacts = Callable[..., Facts]


def test_a_clear_gain_is_promoted_before_the_planned_end(make_ab: MakeFacts) -> None:
    verdict = judge(make_ab(0.30, 0.50))
    assert verdict.decision == "promote"
    assert verdict.final
    assert "the treatment is better: clicked-search rate +0.2000, 99% confidence sequence +0.0" in verdict.reason


def test_no_gain_is_promoted_before_the_minimum_of_days(make_ab: MakeFacts) -> None:
    verdict = judge(make_ab(0.30, 0.50, days=6.9))
    assert (verdict.decision, verdict.final) == ("continue", False)
    assert "only 6.9 of at least 7 days have passed" in verdict.reason


def test_clear_harm_is_rolled_back_at_once(make_ab: MakeFacts) -> None:
    verdict = judge(make_ab(0.50, 0.30, days=0.1))
    assert verdict.decision == "rollback"
    assert "does harm" in verdict.reason


def test_a_treatment_that_nobody_clicks_is_rolled_back(make_ab: MakeFacts) -> None:
    assert judge(make_ab(1.0, 0.0, units=(MIN_UNITS, MIN_UNITS), days=0.1)).decision == "rollback"
    assert judge(make_ab(0.5, 0.0, units=(100, 100), days=0.1)).decision == "rollback"


def test_arms_of_the_wrong_size_are_invalid_even_with_a_gain(make_ab: MakeFacts) -> None:
    verdict = judge(make_ab(0.30, 0.60, units=(500, 350)))
    assert verdict.decision == "invalid"
    assert "500 and 350 units do not fit an even split" in verdict.reason


def test_a_gain_of_z_2_1_counts_only_at_the_planned_end(make_ab: MakeFacts) -> None:
    modest = 0.30 + 2.1 * 0.0328
    assert judge(make_ab(0.30, modest, days=8.0)).decision == "continue"
    assert judge(make_ab(0.30, modest, days=8.0, planned_searches=3200)).decision == "promote"
    assert judge(make_ab(0.30, modest, days=14.0)).decision == "promote"


def test_nothing_proven_at_the_planned_end_keeps_the_control(make_ab: MakeFacts) -> None:
    same = judge(make_ab(0.30, 0.31, planned_searches=3200))
    worse = judge(make_ab(0.30, 0.30 - 2.2 * 0.0325, planned_searches=3200))
    assert (same.decision, worse.decision) == ("keep_control", "keep_control")
    assert "is not proven better" in same.reason
    assert "is worse" in worse.reason


def test_enough_searches_do_not_end_it_before_the_minimum_of_days(make_ab: MakeFacts) -> None:
    assert judge(make_ab(0.30, 0.31, days=6.0, planned_searches=1000)).decision == "continue"


def test_few_units_say_nothing_however_different(make_ab: MakeFacts) -> None:
    few = make_ab(0.0, 1.0, units=(MIN_UNITS - 1, MIN_UNITS))
    assert weigh(few) is None
    assert judge(few).decision == "continue"
    assert "like those of 19.0 equally busy units, and each arm needs 20" in judge(few).reason
    assert judge(make_ab(0.0, 1.0, units=(2, 2), days=14.0)).decision == "keep_control"


def test_one_robot_among_many_users_says_nothing(make_ab: MakeFacts) -> None:
    facts = make_ab(0.30, 0.50, units=(400, 400))
    robot = ArmStatistics(RatioStatistics.of([3000], [3000]), clicks=3000)
    treatment = facts.arms["treatment"]
    joined = replace(treatment, click_rate=treatment.click_rate + robot.click_rate)
    facts = replace(facts, arms=facts.arms | {"treatment": joined})
    assert joined.units == 401
    assert weigh(facts) is None


def test_an_empty_experiment_continues(make_ab: MakeFacts, make_interleaving: MakeFacts) -> None:
    assert judge(make_ab(0.0, 0.0, units=(0, 0), days=0.0)).decision == "continue"
    assert judge(make_interleaving(0, 0, 0, days=0.0)).decision == "continue"


def test_users_who_all_do_the_same_prove_no_difference(make_ab: MakeFacts) -> None:
    evidence = weigh(make_ab(0.0, 0.0))
    assert evidence is not None
    assert (evidence.estimate, evidence.p_value, evidence.superior, evidence.inferior) == (0.0, 1.0, False, False)


def test_interleaving_promotes_and_rolls_back_by_preference(make_interleaving: MakeFacts) -> None:
    assert judge(make_interleaving(400, 200)).decision == "promote"
    assert judge(make_interleaving(200, 400, days=0.1)).decision == "rollback"
    assert judge(make_interleaving(210, 200)).decision == "continue"
    assert judge(make_interleaving(210, 200, days=14.0)).decision == "keep_control"


def test_the_preference_is_wins_less_losses_per_choice(make_interleaving: MakeFacts) -> None:
    evidence = weigh(make_interleaving(300, 200, ties=500))
    assert evidence is not None
    assert evidence.metric == "preference"
    assert evidence.estimate == pytest.approx(0.1)


def test_the_final_p_value_appears_at_the_planned_end_only(make_ab: MakeFacts) -> None:
    running, ended = weigh(make_ab(0.30, 0.35)), weigh(make_ab(0.30, 0.35, days=14.0))
    assert running is not None
    assert ended is not None
    assert running.final_p_value is None
    assert ended.final_p_value == pytest.approx(0.13, abs=0.01)
    assert running.p_value == ended.p_value


def test_a_smaller_alpha_asks_for_more(make_ab: MakeFacts) -> None:
    modest = 0.30 + 2.1 * 0.0328
    assert judge(make_ab(0.30, modest, days=14.0, alpha=0.01)).decision == "keep_control"


@pytest.mark.parametrize(("control", "treatment"), [(0.3, 0.5), (0.5, 0.3), (0.3, 0.31), (1.0, 0.0)])
def test_a_verdict_can_be_replayed_from_its_inputs_as_json(
    make_ab: MakeFacts, control: float, treatment: float
) -> None:
    verdict = judge(make_ab(control, treatment))
    assert judge(Facts.from_json(json.loads(json.dumps(verdict.inputs, allow_nan=False)))) == verdict


def test_interleaving_verdicts_can_be_replayed_too(make_interleaving: MakeFacts) -> None:
    verdict = judge(make_interleaving(400, 200))
    assert judge(Facts.from_json(json.loads(json.dumps(verdict.inputs, allow_nan=False)))) == verdict
