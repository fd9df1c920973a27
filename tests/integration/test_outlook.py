"""What the autopilot says it will do, and that a pause holds it, on every kind of database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.join.batch import fold_batch
from foundation.clock import FrozenClock
from foundation.contracts import Impression, ShownResult
from foundation.database.engine import transaction
from foundation.settings import Settings
from foundation.web.problems import install_problem_handlers
from retrainer.autopilot.http import make_router
from retrainer.autopilot.outlook import Outlooks
from retrainer.autopilot.pauses import Pauses
from retrainer.data.threshold import Threshold
from retrainer.runs import Runs
from retrainer.tables import autopilot_pauses
from retrainer.timetable import Timetable, every

DAY = timedelta(days=1)


@pytest.fixture
def runs(any_engine: sa.Engine, clock: FrozenClock) -> Runs:
    return Runs(any_engine, clock)


@pytest.fixture
def client(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> TestClient:
    return ask(any_engine, clock, runs)


def ask(engine: sa.Engine, clock: FrozenClock, runs: Runs, *, clicked: int = 500, automatic: bool = True) -> TestClient:
    app, pauses = FastAPI(), Pauses(engine, clock)
    install_problem_handlers(app)
    table = Timetable(engine, clock, every(DAY), lambda: ["default"], clicks=40)
    outlooks = Outlooks(runs, pauses, [table], lambda _: Threshold(clicked), automatic=automatic)
    app.include_router(make_router(outlooks, pauses))
    return TestClient(app)


def show(engine: sa.Engine, clock: FrozenClock) -> None:
    shown = Impression("default", "q", "toner", "u", "v", (ShownResult("a", 1, 1.0),), clock.now())
    with transaction(engine) as connection:
        fold_batch(connection, [shown], Settings(_env_file=None))


def test_before_anything_was_shown_nobody_can_tell_when(client: TestClient) -> None:
    [run] = client.get("/v1/autopilot").json()["upcoming"]
    assert run["at"] is None
    assert "none was shown yet" in run["why"]


def test_the_next_run_is_told_with_its_time_and_what_could_bring_it_forward(
    client: TestClient, any_engine: sa.Engine, clock: FrozenClock
) -> None:
    show(any_engine, clock)
    said = client.get("/v1/autopilot").json()
    [run] = said["upcoming"]
    assert run["at"].startswith((clock.now() + DAY).isoformat()[:19])
    assert "40 new clicks, of which 0 came" in run["why"]
    assert (said["waits"], said["missing"], said["doing"]) == ([], [], [])


def test_an_active_run_says_what_it_does_and_holds_up_the_next(client: TestClient, runs: Runs) -> None:
    run = runs.request("default", autopilot=True)
    runs.advance(run, "interleave", version="v-1")
    said = client.get("/v1/autopilot").json()
    assert said["doing"] == [f"{run.name} compares a candidate with the champion in interleaved lists: v-1"]
    assert said["waits"] == [f"{run.name} is active at step 'interleave'"]


def test_what_is_missing_is_said(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    said = ask(any_engine, clock, runs, clicked=3).get("/v1/autopilot").json()
    assert "3 queries have clicks lately" in said["missing"][0]


def test_without_the_schedule_it_says_how_to_ask(any_engine: sa.Engine, clock: FrozenClock, runs: Runs) -> None:
    said = ask(any_engine, clock, runs, automatic=False).get("/v1/autopilot").json()
    assert said["upcoming"] == []
    assert "POST /v1/training-runs" in said["waits"][0]


def test_a_pause_names_its_actor_and_reason_and_ends(client: TestClient, any_engine: sa.Engine) -> None:
    said = client.post("/v1/autopilot/pause", json={"reason": "sale week"}).json()
    assert said["waits"] == ["paused by local: sale week"]
    again = client.post("/v1/autopilot/pause", json={"reason": "other"}).json()
    assert again["pause"] == said["pause"]  # the first one stands
    assert client.get("/v1/autopilot", headers={"Clickloop-Collection": "other"}).json()["pause"] is None
    assert client.post("/v1/autopilot/resume").json()["pause"] is None
    assert client.post("/v1/autopilot/resume").status_code == 200
    with any_engine.connect() as connection:
        changes = connection.execute(sa.select(autopilot_pauses.c.paused).order_by(autopilot_pauses.c.number)).scalars()
        assert list(changes) == [True, False]


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"why": "x"}, []])
def test_a_wrong_pause_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/v1/autopilot/pause", json=body).status_code == 422
    assert client.get("/v1/autopilot").json()["pause"] is None
