"""An experiment's salts and its alpha follow its starts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def make() -> ExperimentPlan:
    return ExperimentPlan("new adapter", "ab", "v-1", "v-2", planned_searches=4000, min_days=7.0, max_days=14.0)


def test_a_restart_splits_anew_among_the_same_units() -> None:
    first = Experiment("default", "e", make(), "running", 1, NOW)
    second = replace(first, run=2)
    assert first.traffic_salt == second.traffic_salt
    assert len({first.split_salt, second.split_salt, first.coin_salt, second.coin_salt, first.traffic_salt}) == 5


def test_days_count_from_the_start_to_the_end() -> None:
    draft = Experiment("default", "e", make(), "draft", 0, NOW)
    started = replace(draft, started_at=NOW)
    ended = replace(started, ended_at=NOW + timedelta(days=3))
    later = NOW + timedelta(days=4, hours=12)
    assert (draft.days(later), started.days(later), ended.days(later)) == (0.0, 4.5, 3.0)


def test_runs_that_are_stopped_and_started_again_share_one_alpha() -> None:
    runs = [Experiment("default", "e", make(), "running", number, NOW) for number in range(1, 6)]
    spent_early = sum(run.alpha / 5 for run in runs[:-1])
    assert runs[0].alpha == 0.05
    assert spent_early + runs[-1].alpha == pytest.approx(0.05)
