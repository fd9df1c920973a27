"""What a product owner reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ab_testing.decide.verdict import Facts
from ab_testing.design.experiment import Experiment
from ab_testing.report.scorecard import Scorecard, build

MakeFacts = Callable[..., Facts]
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def read(facts: Facts) -> Scorecard:
    return build(Experiment("default", "e", facts.plan, "running", 1, NOW, NOW), facts)


def test_arms_tell_their_counts_and_click_rate(make_ab: MakeFacts) -> None:
    control, treatment = read(make_ab(0.30, 0.40)).arms
    assert (control.arm, control.version, control.units, control.searches, control.clicks) == (
        "control",
        "v-1",
        400,
        1600,
        480,
    )
    assert treatment.version == "v-2"
    assert control.low is not None
    assert control.high is not None
    assert control.click_rate == pytest.approx(0.30)
    assert 0 < control.low < 0.30 < control.high < 1


def test_the_lift_is_relative_and_contains_no_zero_when_proven(make_ab: MakeFacts) -> None:
    card = read(make_ab(0.30, 0.45))
    assert card.lift is not None
    assert card.lift.value == pytest.approx(0.5)
    assert 0 < card.lift.low < 0.5 < card.lift.high
    assert card.lift.confidence == pytest.approx(0.99)


def test_no_lift_over_a_control_without_clicks(make_ab: MakeFacts) -> None:
    card = read(make_ab(0.0, 0.5))
    assert card.lift is None
    assert card.evidence is not None
    assert card.verdict.decision == "promote"


def test_few_units_have_counts_but_no_rates(make_ab: MakeFacts) -> None:
    card = read(make_ab(0.5, 0.5, units=(10, 10)))
    assert card.evidence is None
    assert card.lift is None
    assert [(arm.units, arm.click_rate, arm.low, arm.high) for arm in card.arms] == [(10, None, None, None)] * 2


def test_the_sample_ratio_is_told_of_split_units_only(make_ab: MakeFacts, make_interleaving: MakeFacts) -> None:
    sample_ratio = read(make_ab(0.3, 0.3, units=(500, 350))).sample_ratio
    assert sample_ratio is not None
    assert sample_ratio.mismatch
    assert sample_ratio.chi_square_p_value < 1e-6
    assert read(make_interleaving(10, 10)).sample_ratio is None


def test_interleaving_tells_wins_losses_and_ties(make_interleaving: MakeFacts) -> None:
    card = read(make_interleaving(300, 200, ties=500))
    assert card.preference is not None
    assert (card.preference.wins, card.preference.losses, card.preference.ties) == (300, 200, 500)
    assert card.preference.delta == pytest.approx(0.05)
    assert [arm.arm for arm in card.arms] == ["interleaved"]
    assert card.lift is None


@pytest.mark.parametrize(
    ("days", "planned", "progress"),
    [(7.0, 6400, 0.5), (3.5, 3200, 0.5), (3.5, 1000, 0.5), (14.0, 10**6, 1.0), (0.0, 10, 0)],
)
def test_progress_waits_for_searches_and_days(make_ab: MakeFacts, days: float, planned: int, progress: float) -> None:
    assert read(make_ab(0.3, 0.3, days=days, planned_searches=planned)).progress == pytest.approx(progress)


def test_the_json_is_strict_and_complete(make_ab: MakeFacts) -> None:
    value = read(make_ab(1.0, 0.0)).to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["experiment"]["started_at"] == "2026-01-05T00:00:00+00:00"
    assert value["verdict"]["decision"] == "rollback"
    assert value["verdict"]["inputs"]["arms"]["control"]["click_rate"]["n"] == 400


def test_an_experiment_without_data_can_be_read(make_ab: MakeFacts) -> None:
    empty = make_ab(0.0, 0.0, units=(0, 0), days=0.0)
    card = build(replace(read(empty).experiment, state="draft"), empty)
    assert (card.searches, card.progress, card.verdict.decision) == (0, 0.0, "continue")
