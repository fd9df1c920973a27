"""The ship rule, case by case. Usual look: 3,200 of 4,000 planned searches, day 8 of 7 to 14."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ab_testing.decide.evidence import MIN_UNITS, weigh
from ab_testing.decide.look import Look
from ab_testing.decide.rules import Verdict, decide
from ab_testing.design.arm import Arm
from ab_testing.design.plan import Guardrail
from tests.looks import one, plan, rates, see


def judge(look: Look, **values: Any) -> Verdict:
    return decide(plan(**values), [look])


def test_a_clear_gain_is_promoted_before_the_planned_end() -> None:
    verdict = judge(see(click_rate=rates(0.30, 0.50)))
    assert (verdict.decision, verdict.winner, verdict.final) == ("promote", "treatment", True)
    assert "the treatment is better: click_rate +0.2000, 99% interval +0.0" in verdict.reason
    assert "after 3200 of 4000 planned searches and 8.0 days" in verdict.reason
    assert verdict.reason.endswith("not measured: p95_latency, zero_result_rate")


def test_no_gain_is_promoted_before_the_minimum_of_days() -> None:
    verdict = judge(see(6.9, click_rate=rates(0.30, 0.50)))
    assert (verdict.decision, verdict.winner, verdict.final) == ("continue", None, False)
    assert "only 6.9 of at least 7 days have passed" in verdict.reason


def test_clear_harm_is_rolled_back_at_once() -> None:
    verdict = judge(see(0.1, click_rate=rates(0.50, 0.25)))
    assert verdict.decision == "rollback"
    assert "the treatment does harm: click_rate -0.2500" in verdict.reason


def test_harm_to_a_guardrail_rolls_back_however_the_success_metric_does() -> None:
    look = see(0.5, click_rate=rates(0.3, 0.6), zero_result_rate=rates(0.0, 0.3))
    assert judge(look).decision == "rollback"
    assert "zero_result_rate +0.3000" in judge(look).reason
    assert judge(see(0.5, latencies=(100, 150), click_rate=rates(0.3, 0.3))).decision == "rollback"


def test_a_treatment_that_nobody_clicks_is_rolled_back() -> None:
    assert judge(see(0.1, click_rate=rates(1.0, 0.0, units=(20, 20)))).decision == "rollback"
    assert judge(see(0.1, click_rate=rates(0.5, 0.0, units=(120, 120)))).decision == "rollback"


def test_arms_of_the_wrong_size_are_invalid_even_with_a_gain() -> None:
    verdict = judge(see(click_rate=rates(0.30, 0.60, units=(500, 350))))
    assert verdict.decision == "invalid"
    assert "500 and 350 units do not fit the planned split of 50% and 50%" in verdict.reason


def test_uneven_weights_are_no_mismatch() -> None:
    arms = (Arm("control", "v-1", weight=2), Arm("treatment", "v-2"))
    look = see(click_rate=rates(0.3, 0.3, units=(600, 300)))
    assert judge(look, arms=arms).decision == "continue"
    assert judge(look).decision == "invalid"


def test_a_mismatch_at_an_earlier_look_is_not_forgotten() -> None:
    bad, good = see(1.0, click_rate=rates(0.3, 0.3, units=(200, 100))), see(click_rate=rates(0.30, 0.60))
    assert decide(plan(), [bad, good]).decision == "invalid"
    assert decide(plan(), [good]).decision == "promote"


def test_a_segment_that_does_not_fit_is_named() -> None:
    look = replace(
        see(click_rate=rates(0.3, 0.5)),
        splits={"app": {"control": 250, "treatment": 100}, "web": {"control": 150, "treatment": 300}},
    )
    assert judge(look).decision == "invalid"
    assert "in the segment app 250 and 100 units do not fit" in judge(look).reason


@pytest.mark.parametrize(("mixed", "decision"), [(4, "promote"), (8, "promote"), (9, "invalid")])
def test_units_in_two_arms_are_invalid_above_one_percent(mixed: int, decision: str) -> None:
    verdict = judge(replace(see(click_rate=rates(0.3, 0.5)), mixed=mixed))
    assert verdict.decision == decision
    assert (decision == "promote") or f"{mixed} of {800 + mixed} units were seen in more than one arm" in verdict.reason


def test_a_gain_of_z_2_1_counts_only_at_the_planned_end() -> None:
    look = see(click_rate=rates(0.30, 0.30 + 2.1 * 0.0328))
    assert judge(look).decision == "continue"
    assert judge(look, planned_searches=3200).decision == "promote"
    assert judge(replace(look, days=14.0)).decision == "promote"


def test_nothing_proven_at_the_planned_end_keeps_the_control() -> None:
    same = judge(see(click_rate=rates(0.30, 0.31)), planned_searches=3200)
    worse = judge(see(click_rate=rates(0.30, 0.30 - 2.2 * 0.0325)), planned_searches=3200)
    assert (same.decision, worse.decision) == ("keep_control", "keep_control")
    assert "at the planned end nothing is proven: the treatment has click_rate +0.0" in same.reason
    assert "at the planned end the treatment is worse: click_rate -0.0" in worse.reason


def test_enough_searches_do_not_end_it_before_the_minimum_of_days() -> None:
    assert judge(see(6.0, click_rate=rates(0.30, 0.31)), planned_searches=1000).decision == "continue"


def test_few_units_say_nothing_however_different() -> None:
    few = see(click_rate=rates(0.0, 1.0, units=(MIN_UNITS - 1, MIN_UNITS)))
    assert one(few).estimate is None
    assert judge(few).decision == "continue"
    assert f"nothing can be said: each arm needs {MIN_UNITS} equally busy units" in judge(few).reason
    assert judge(see(14.0, click_rate=rates(0.0, 1.0, units=(2, 2)))).decision == "keep_control"


def test_one_robot_among_many_users_silences_nobody() -> None:
    tables = rates(0.30, 0.50)
    tables["treatment"][3000, 3000] = 1
    look = see(click_rate=tables)
    assert look.caps["click_rate"] == 4
    assert one(look).superior
    assert judge(look).decision == "promote"


def test_a_guardrail_that_may_be_worse_holds_a_gain_back() -> None:
    look = see(click_rate=rates(0.3, 0.5), latencies=(100, 108))
    assert judge(look).decision == "continue"
    assert "the treatment is better, but its guardrail p95_latency may be worse by more than 0.1" in judge(look).reason
    assert judge(replace(look, days=14.0)).decision == "keep_control"
    assert judge(see(click_rate=rates(0.3, 0.5), latencies=(100, 92))).decision == "promote"


def test_a_guardrail_that_was_measured_too_rarely_holds_back_too() -> None:
    look = see(click_rate=rates(0.3, 0.5), latencies=(100, 92))
    del look.quantiles["p95_latency"]["treatment"]
    assert judge(look).decision == "continue"
    assert "its guardrail p95_latency was measured too rarely" in judge(look).reason


def test_no_answer_is_ever_empty_is_as_good_as_before() -> None:
    look = see(click_rate=rates(0.3, 0.5), zero_result_rate=rates(0.0, 0.0))
    assert one(look, "zero_result_rate").non_inferior
    assert judge(look).decision == "promote"


def test_people_who_answer_differently_hold_a_rating_back() -> None:
    ratings = {"control": {(3, 1): 200, (4, 1): 100}, "treatment": {(4, 1): 250, (5, 1): 50}}
    asked = rates(0.3, 0.3, units=(1600, 1600), each=1)
    more = rates(0.3, 0.38, units=(1600, 1600), each=1)
    alike = see(rating_response_rate=asked, csat=ratings)
    assert judge(alike, success=("csat",), planned_searches=3200).decision == "promote"
    other = judge(see(rating_response_rate=more, csat=ratings), success=("csat",), planned_searches=3200)
    assert other.decision == "keep_control"
    assert "rating_response_rate may be" in other.reason


def test_several_success_metrics_share_the_level() -> None:
    weak: dict[str, Any] = {"click_rate": rates(0.30, 0.30 + 2.1 * 0.0328), "csat": rates(0.5, 0.5)}
    assert judge(see(14.0, **weak)).decision == "promote"
    assert judge(see(14.0, **weak), success=("click_rate", "csat")).decision == "keep_control"
    strong: dict[str, Any] = {"click_rate": rates(0.30, 0.50), "csat": rates(0.5, 0.5)}
    assert judge(see(14.0, **strong), success=("csat", "click_rate")).decision == "promote"


THREE = (Arm("control", "v-1"), Arm("treatment", "v-2"), Arm("third", "v-3"))


def test_the_best_of_several_winners_is_promoted() -> None:
    verdict = judge(see(click_rate=rates(0.3, 0.5, 0.55)), arms=THREE)
    assert (verdict.decision, verdict.winner) == ("promote", "third")
    assert "the arm third is better: click_rate +0.2500" in verdict.reason
    assert judge(see(click_rate=rates(0.3, 0.5, 0.31)), arms=THREE).winner == "treatment"


def test_a_winner_that_fails_a_guardrail_leaves_the_promotion_to_the_next() -> None:
    look = see(click_rate=rates(0.3, 0.5, 0.55), abandonment=rates(0.3, 0.15, 0.35))
    values = {"arms": THREE, "guardrails": (Guardrail("abandonment", 0.05),)}
    assert judge(look, **values).winner == "treatment"


def test_a_metric_that_should_fall_is_better_when_it_falls() -> None:
    found = one(see(abandonment=rates(0.5, 0.3)), "abandonment", success=("abandonment",))
    assert found.superior
    assert not found.harmful
    assert found.estimate == pytest.approx(-0.2)
    assert judge(see(abandonment=rates(0.3, 0.5)), success=("abandonment",)).decision == "rollback"


def test_a_fixed_test_decides_once() -> None:
    look = see(click_rate=rates(0.30, 0.30 + 2.05 * 0.0328))
    assert judge(see(click_rate=rates(0.30, 0.42)), test="fixed").decision == "continue"
    assert judge(replace(look, days=14.0), test="fixed").decision == "promote"
    assert judge(replace(look, days=14.0)).decision == "keep_control"
    found = one(replace(look, days=14.0), test="fixed")
    assert (found.confidence, found.p_value) == (0.95, None)
    assert found.low is not None
    assert found.low > 0


def test_less_alpha_asks_for_more() -> None:
    look = see(14.0, click_rate=rates(0.30, 0.30 + 2.1 * 0.0328))
    assert decide(plan(), [look]).decision == "promote"
    assert decide(plan(), [look], alpha=0.02).decision == "keep_control"
    assert decide(plan(), [look], alpha=0.02).inputs["alpha"] == 0.02


def test_a_preference_is_tested_against_none() -> None:
    drafted = {"interleaved": {(2520, 2520): 300, (-2520, 2520): 150, (0, 2520): 300}}
    look = replace(see(preference=drafted), searches={"interleaved": 3200})
    verdict = judge(look, kind="interleaving")
    assert (verdict.decision, verdict.winner) == ("promote", "treatment")
    assert "preference +0.2000" in verdict.reason
    other = {"interleaved": {(-x, y): count for (x, y), count in drafted["interleaved"].items()}}
    worse = replace(see(preference=other), searches={"interleaved": 3200})
    assert judge(worse, kind="interleaving").decision == "rollback"


def test_each_of_two_interleaved_treatments_is_compared_with_the_control() -> None:
    drafted = {
        "better": {(2520, 2520): 300, (-2520, 2520): 150, (0, 2520): 300},
        "alike": {(1260, 1260): 240, (-1260, 1260): 230, (0, 1260): 280},
    }
    arms = (Arm("control", "v-1"), Arm("alike", "v-2"), Arm("better", "v-3"))
    look = replace(see(preference=drafted), searches={"interleaved": 3200})
    verdict = judge(look, kind="interleaving", arms=arms)
    assert (verdict.decision, verdict.winner) == ("promote", "better")
    found = {arm: one(look, "preference", arm, kind="interleaving", arms=arms) for arm in drafted}
    assert (found["better"].superior, found["alike"].superior) == (True, False)
    alone = replace(look, ratios={"preference": {"interleaved": look.ratios["preference"]["better"]}})
    unadjusted = one(alone, "preference", kind="interleaving").p_value
    assert found["better"].p_value == pytest.approx(2 * (unadjusted or 0.0)), "Holm over both treatments"


def test_nothing_counted_yet_is_no_reason_to_stop() -> None:
    empty = Look(change=0, days=0.0, units={}, searches={})
    verdict = decide(plan(), [empty])
    assert verdict.decision == "continue"
    assert json.loads(json.dumps(verdict.inputs)) == verdict.inputs
    assert all(each.p_value is None and not each.measured for each in weigh(plan(), empty))


def test_the_inputs_give_the_verdict_again() -> None:
    look = see(click_rate=rates(0.3, 0.5), latencies=(100, 92))
    verdict = judge(look)
    again = decide(plan(), [Look.from_json(json.loads(json.dumps(verdict.inputs["look"])))], verdict.inputs["alpha"])
    assert again == verdict


GUARDED = {"aim": "no_harm", "guardrails": (Guardrail("click_rate", 0.02), Guardrail("zero_result_rate"))}


def test_no_harm_is_promoted_without_a_gain_once_every_guardrail_is_cleared() -> None:
    many = (40_000, 40_000)
    cleared = see(click_rate=rates(0.3, 0.3, units=many), zero_result_rate=rates(0.02, 0.02, units=many))
    assert judge(cleared, **GUARDED).decision == "promote"
    assert judge(replace(cleared, days=6.0), **GUARDED).decision == "continue"
    few = see(click_rate=rates(0.3, 0.3), zero_result_rate=rates(0.02, 0.02))
    assert judge(few, **GUARDED).decision == "continue"
    assert judge(replace(few, days=14.0), **GUARDED).decision == "keep_control"
    assert "click_rate" in judge(few, **GUARDED).reason


def test_no_harm_needs_something_measured_and_rolls_back_on_harm() -> None:
    assert judge(replace(see(14.0, csat=rates(0.3, 0.3)), ratios={}), **GUARDED).decision == "keep_control"
    assert judge(see(0.5, click_rate=rates(0.5, 0.2)), **GUARDED).decision == "rollback"


def test_a_holdback_goes_back_on_harm_and_stays_at_its_end() -> None:
    held = {"aim": "holdback", "min_days": 14.0}
    assert judge(see(click_rate=rates(0.3, 0.5)), **held).decision == "continue"
    assert judge(see(click_rate=rates(0.5, 0.25)), **held).decision == "rollback"
    assert judge(see(14.0, click_rate=rates(0.3, 0.29)), **held).decision == "promote"
