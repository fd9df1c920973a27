"""The sums leave whole: what they say elsewhere is what the experiment says."""

import io
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from ab_testing.decide.look import Look, summarise
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.report.export import COLUMNS, tabulate_sums, write_parquet
from ab_testing.stats.quantile import QuantileStatistics
from ab_testing.stats.ratio import RatioStatistics

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PLAN = ExperimentPlan("test", "ab", "v-1", "v-2", planned_searches=400, min_days=0.0, max_days=14.0)
EXPERIMENT = Experiment("default", "e", PLAN, "decided", 2, NOW, NOW)
TABLES = {"control": {(1, 4): 50, (0, 4): 50}, "treatment": {(2, 4): 50, (0, 4): 50}}


def see(days: float) -> Look:
    caps, ratios = summarise({"click_rate": TABLES})
    latency = {"p95_latency": {arm: QuantileStatistics(40.0, 0.1, 400) for arm in TABLES}}
    return Look(9, days, {"control": 100}, {"control": 400}, caps=caps, ratios=ratios, quantiles=latency)


def test_every_look_and_decision_has_its_sums_by_metric_and_arm() -> None:
    decision = Decision("d-1", "e", "promote", "better", {"look": see(3.0).to_json()}, NOW, run=1, plan_hash="h")
    rows = list(tabulate_sums(EXPERIMENT, [see(1.0), see(2.0)], [decision]))
    assert [(row["run"], row["days"], row["decision"]) for row in rows[::4]] == [
        (2, 1.0, ""),
        (2, 2.0, ""),
        (1, 3.0, "d-1"),
    ]
    assert {(row["metric"], row["arm"]) for row in rows} == {
        (metric, arm) for metric in ("click_rate", "p95_latency") for arm in TABLES
    }


def test_the_file_gives_back_the_sums() -> None:
    file = write_parquet(tabulate_sums(EXPERIMENT, [see(1.0)], []))
    table = parquet.read_table(io.BytesIO(file)).to_pylist()
    assert set(table[0]) == set(COLUMNS)
    treatment = next(row for row in table if (row["metric"], row["arm"]) == ("click_rate", "treatment"))
    sums = RatioStatistics(*(treatment[name] for name in ("n", "sum_x", "sum_y", "sum_xx", "sum_yy", "sum_xy")))
    assert sums == see(1.0).ratios["click_rate"]["treatment"]
    assert sums.estimate().value == pytest.approx(0.25)
    assert [row["value"] for row in table] == [None, None, 40.0, 40.0]


def test_an_experiment_without_looks_has_a_table_without_rows() -> None:
    assert parquet.read_table(io.BytesIO(write_parquet([]))).num_rows == 0
