"""How large an experiment must be, over HTTP and by the command line, from what was searched."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from ab_testing.api import Assignments, Experiments, Planner
from ab_testing.planning.http import make_router
from clickloop.cli.main import app
from foundation.clock import FrozenClock
from foundation.http_client import ServiceClient
from foundation.web.problems import install_problem_handlers
from tests.integration.experiments.conftest import USERS, Traffic, started

BASELINE = {"searches_a_day": 1000, "values": {"click_rate": 0.3}}


@pytest.fixture
def client(any_engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    service = FastAPI()
    install_problem_handlers(service)
    service.include_router(make_router(Planner(any_engine, clock)))
    client = TestClient(service)

    def send(_self: ServiceClient, method: str, path: str, **content: Any) -> Any:
        answer = client.request(method, path, **content)
        assert answer.is_success, answer.text
        return answer.json()

    monkeypatch.setattr(ServiceClient, "send", send)
    return client


@pytest.fixture
def searched(experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock) -> None:
    """Four days on which everybody searches once, in an interleaved list."""
    started(experiments, assignments, kind="interleaving")
    for _ in range(4):
        traffic.day(clock.now(), {"treatment": 50})
        clock.advance(timedelta(days=1))


@pytest.mark.usefixtures("searched")
def test_the_log_says_how_large_an_experiment_must_be(client: TestClient) -> None:
    told = client.post("/v1/experiments/plan", json={"effect": 0.05}).json()
    assert told["history"]["searches_a_day"] == pytest.approx(len(USERS))
    assert told["history"]["interleaved"] == 4 * len(USERS)
    by_metric = {one["metric"]: one for one in told["samples"]}
    assert by_metric["preference"]["kind"] == "interleaving"
    assert told["assumptions"] == ["all weeks are like the 4.0 days that were read"]


def test_without_a_history_it_asks_for_a_baseline(client: TestClient) -> None:
    refused = client.post("/v1/experiments/plan", json={})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "baseline"
    told = client.post("/v1/experiments/plan", json={"baseline": BASELINE, "effect": 0.02}).json()
    assert len(told["samples"]) == 2
    assert len(told["assumptions"]) == 2


@pytest.mark.parametrize("wrong", [{"effect": -1}, {"kind": "split"}, {"efect": 1}, {"metrics": ["clicks"]}, []])
def test_a_wrong_wish_is_refused(client: TestClient, wrong: object) -> None:
    assert client.post("/v1/experiments/plan", json=wrong).status_code in {400, 422}


@pytest.mark.usefixtures("client")
def test_the_command_line_tells_the_same(tmp_path: Path) -> None:
    more = tmp_path / "more.json"
    more.write_text(json.dumps({"baseline": BASELINE}))
    words = ["experiment", "plan", "--metric", "click_rate", "--effect", "0.02", "--more", str(more)]
    told = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert "click_rate" in told.output
    assert "Assumed:" in told.output
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert f"{as_json['samples'][0]['searches']:,}" in told.output
