"""A look survives JSON without any loss, and reads the same in whatever order it was counted."""

import json

import pytest

from ab_testing.decide.look import Look, summarise, summarise_histories
from ab_testing.stats.quantile import QuantileStatistics
from ab_testing.stats.ratio import RatioStatistics

TABLES = {
    "click_rate": {"control": {(1, 3): 40, (2, 7): 25, (50, 400): 1}, "treatment": {(0, 2): 70, (3, 3): 9}},
    "revenue_per_search": {"control": {(2_500_001, 3): 2, (0, 1): 60}, "treatment": {(0, 3): 66}},
    "csat": {"control": {}, "treatment": {(0, 0): 5}},
}
HISTORY = {"control": {(1, 3, 2, 7): 40, (2, 7, 0, 0): 25}, "treatment": {(0, 2, 1, 9): 70}}


def make() -> Look:
    caps, ratios = summarise(TABLES)
    return Look(
        change=17,
        days=1 / 3,
        units={"control": 66, "treatment": 79},
        searches={"control": 695, "treatment": 167},
        mixed=2,
        caps=caps,
        ratios=ratios,
        quantiles={"p95_latency": {"control": QuantileStatistics(81.3, 0.1 / 3, 700, 31.7)}},
        splits={"web, known": {"control": 3, "treatment": 2}},
        histories={"click_rate": summarise_histories(HISTORY)},
    )


def test_a_look_survives_json_bit_for_bit() -> None:
    look = make()
    assert Look.from_json(json.loads(json.dumps(look.to_json()))) == look
    assert json.loads(json.dumps(look.to_json())) == look.to_json()


def test_an_empty_look_does_too() -> None:
    look = Look(change=0, days=0.0, units={}, searches={})
    assert Look.from_json(look.to_json()) == look
    assert look.total_searches == 0


def test_one_cap_holds_for_all_arms() -> None:
    look = make()
    assert look.caps["click_rate"] == 7
    assert look.ratios["click_rate"]["control"] == RatioStatistics.of_table(TABLES["click_rate"]["control"], 7)
    assert look.total_searches == 862


def test_a_metric_that_nobody_measured_is_absent() -> None:
    assert set(make().ratios) == {"click_rate", "revenue_per_search"}


def test_revenue_is_in_whole_money_and_its_largest_totals_are_cut() -> None:
    assert make().ratios["revenue_per_search"]["control"].sum_x == pytest.approx(2 * 2.500001)
