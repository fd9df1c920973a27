"""Training runs are recorded step by step, one active at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.errors import Conflict, NotFound
from retrainer.runs import Runs


@pytest.fixture
def runs(any_engine: sa.Engine, clock: FrozenClock) -> Runs:
    return Runs(any_engine, clock)


def test_a_requested_run_is_active_at_its_first_step(runs: Runs) -> None:
    run = runs.request("default", autopilot=True)
    assert (run.state, run.step, run.autopilot) == ("active", "train", True)
    assert runs.get("default", run.id) == run
    assert runs.active() == [run]


def test_a_collection_has_one_active_run(runs: Runs) -> None:
    run = runs.request("default", autopilot=False)
    with pytest.raises(Conflict, match=run.id):
        runs.request("default", autopilot=False)
    assert runs.request("shop", autopilot=False).collection == "shop"
    runs.end(run, "refused", "not better")
    assert runs.request("default", autopilot=False).state == "active"


def test_a_run_at_its_holdback_holds_up_no_other(runs: Runs) -> None:
    watched = runs.advance(runs.request("default", autopilot=True), "holdback")
    other = runs.request("default", autopilot=True)
    assert [run.id for run in runs.active_of("default")] == [watched.id, other.id]


def test_steps_add_to_the_report_and_keep_what_was_there(runs: Runs, clock: FrozenClock) -> None:
    run = runs.request("default", autopilot=False)
    clock.advance(timedelta(seconds=5))
    run = runs.advance(run, "plan", version="v-1", report={"gate": "better"})
    run = runs.advance(run, "interleave", experiment="e-1", report={"doing": "looking"})
    ended = runs.end(run, "dropped", "worse")
    assert (ended.state, ended.step, ended.version, ended.experiment) == ("dropped", "done", "v-1", "e-1")
    assert ended.report == {"gate": "better", "doing": "looking", "end": "worse"}
    assert ended.updated_at - ended.requested_at == timedelta(seconds=5)
    assert runs.get("default", run.id) == ended
    assert runs.active() == []


def test_recent_runs_come_newest_first(runs: Runs, clock: FrozenClock) -> None:
    ids = []
    for _ in range(3):
        run = runs.request("default", autopilot=False)
        runs.end(run, "failed", "no reason")
        ids.append(run.id)
        clock.advance(timedelta(seconds=1))
    assert [run.id for run in runs.recent("default")] == ids[::-1]
    assert len(runs.recent("default", 2)) == 2
    assert runs.recent("shop") == []


def test_an_unknown_run_is_not_found(runs: Runs) -> None:
    with pytest.raises(NotFound, match="'none'"):
        runs.get("default", "none")
