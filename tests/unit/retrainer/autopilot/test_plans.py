"""The way is as long as the expected gain takes; traffic that cannot decide starts nothing and is told what would."""

from __future__ import annotations

from typing import Any

import pytest

from ab_testing.planning.history import AssumedBaseline, assume
from foundation.sections import LearningSettings
from retrainer.autopilot.plans import RAMP, PathPlan, alpha_of, plan_path

SHARES = {"click_rate": 0.3, "zero_result_rate": 0.02}


def plan(gain: float = 0.03, a_day: float = 20_000, **settings: Any) -> PathPlan | str:
    known = assume(AssumedBaseline(a_day, SHARES))
    return plan_path(LearningSettings(**settings), known, gain, "v-old")


def planned(gain: float = 0.03, a_day: float = 20_000, **settings: Any) -> PathPlan:
    path = plan(gain, a_day, **settings)
    assert isinstance(path, PathPlan), path
    return path


def test_a_smaller_gain_takes_more_searches() -> None:
    sizes = [planned(gain).stages["interleave"].searches for gain in (0.05, 0.03, 0.015)]
    assert sizes == sorted(sizes)
    assert sizes[2] == pytest.approx(4 * sizes[1], rel=0.05)


def test_the_whole_way_has_a_ramp_guardrails_and_a_holdback() -> None:
    path = planned()
    first, second, third = (path.experiment(stage, stage, "v-new") for stage in ("interleave", "compare", "holdback"))
    assert (first.kind, first.control, first.coverage, first.alpha) == ("interleaving", "champion", 0.5, path.alpha)
    assert (second.aim, second.control, len(second.ramp)) == ("no_harm", "v-old", len(RAMP))
    assert [one.metric for one in second.guardrails] == ["click_rate", "p95_latency", "zero_result_rate"]
    assert (second.min_days, second.ramp[-1].coverage) == (7.0, 1.0)
    assert (third.aim, third.coverage, third.min_days, third.max_days) == ("holdback", 0.5, 14.0, 14.0)
    assert third.coverage * third.shares[0] == pytest.approx(0.05)
    assert [one.version for one in third.arms] == ["v-old", "v-new"]


def test_interleaving_alone_is_chosen_by_name() -> None:
    assert set(planned(a_day=2_000, proof="interleaving").stages) == {"interleave"}
    assert set(planned(holdback_days=0).stages) == {"interleave", "compare"}


@pytest.mark.parametrize(
    ("a_day", "gain", "settings", "told"),
    [
        (200, 0.03, {"proof": "interleaving"}, "CLICKLOOP_EXPERIMENT_COVERAGE"),
        (2_000, 0.05, {"experiment_days": 14}, "CLICKLOOP_PROOF=interleaving"),
        (20_000, 0.0, {}, "no gain"),
    ],
)
def test_too_little_traffic_says_what_would_do(a_day: float, gain: float, settings: dict[str, Any], told: str) -> None:
    why = plan(gain, a_day, **settings)
    assert isinstance(why, str)
    assert told in why


def test_nothing_known_starts_nothing_unless_somebody_gives_a_size() -> None:
    nothing = assume(AssumedBaseline(100.0))
    assert "nothing can be planned" in str(plan_path(LearningSettings(), nothing, 0.03, "v-old"))
    path = plan_path(LearningSettings(experiment_searches=500), nothing, 0.03, "v-old")
    assert isinstance(path, PathPlan)
    assert path.stages["interleave"].searches == path.stages["compare"].searches == 500


def test_a_plan_is_the_same_after_it_was_stored() -> None:
    path = planned()
    assert PathPlan.from_json(path.to_json()) == path


def test_alpha_keeps_all_schedules_to_the_budget() -> None:
    daily, weekly_too = (LearningSettings(encoder_schedule_hours=hours) for hours in (0, 24 * 7))
    assert alpha_of(daily) == pytest.approx(2 / 365)
    assert alpha_of(weekly_too) < alpha_of(daily)
