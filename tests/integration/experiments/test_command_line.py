"""The commands of experiments, against the real routes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import ab_testing.own_metrics.http
from ab_testing.api import Experiments, OwnMetrics
from ab_testing.http import make_router
from ab_testing.report_http import make_router as make_report_router
from clickloop.cli.main import app
from console.http import make_pages
from foundation.clock import FrozenClock
from foundation.http_client import ServiceClient
from foundation.web.problems import install_problem_handlers
from tests.integration.experiments.conftest import Search, Traffic

PLAN = {
    "name": "adapter of May",
    "kind": "ab",
    "control": "v-1",
    "treatment": "v-2",
    "success": ["csat"],
    "planned_searches": 400,
    "min_days": 0,
    "max_days": 7,
}


@pytest.fixture
def ask(
    experiments: Experiments, any_engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    service = FastAPI()
    install_problem_handlers(service)
    service.include_router(make_router(experiments, lambda _collection, version: version, 4.5))
    service.include_router(ab_testing.own_metrics.http.make_router(OwnMetrics(any_engine, clock)))
    service.include_router(make_report_router(experiments, make_pages().show_report))
    client = TestClient(service)

    def send(self: ServiceClient, method: str, path: str, **content: Any) -> Any:
        answer = client.request(method, path, **content)
        assert answer.is_success, answer.text
        return answer.json()

    monkeypatch.setattr(ServiceClient, "send", send)
    monkeypatch.setattr(ServiceClient, "download", lambda _self, path: client.get(path).content)
    return client


def run(*words: str, code: int = 0, text: str = "") -> str:
    result = CliRunner().invoke(app, ["experiment", *words], input=text, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.stdout


def test_an_experiment_is_made_read_stopped_and_audited(
    ask: TestClient, experiments: Experiments, traffic: Traffic, clock: FrozenClock, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN))
    made = json.loads(run("create", str(file), "--start", "--json"))
    searches = [
        Search(f"q{n}", f"u{n}", ("control", "treatment")[n % 2], clock.now(), rated=5 if n % 8 < 6 else 2)
        for n in range(100)
    ]
    traffic.take(experiments.get("default", made["id"]), searches)

    assert made["id"] in run("list")
    shown = run("show", made["id"])
    assert "adapter of May: continue" in shown
    assert "csat" in shown
    assert "is stopped" in run("stop", made["id"], "--reason", "holiday")
    assert "yes" in run("audit", made["id"])


def test_an_audit_that_finds_another_number_says_so_and_fails(
    ask: TestClient, any_engine: sa.Engine, experiments: Experiments, traffic: Traffic, clock: FrozenClock
) -> None:
    made = ask.post("/v1/experiments", json=PLAN).json()["id"]
    experiment = experiments.start("default", made)
    traffic.take(experiment, [Search(f"q{n}", f"u{n}", "control", clock.now(), [1]) for n in range(5)])
    experiments.stop("default", made)
    with any_engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM events WHERE query_id = 'q3'"))

    report = json.loads(run("audit", made, "--json", code=1))

    [decision] = report["decisions"]
    assert not decision["reproduced"]
    assert any("click" in difference for difference in decision["differences"])


def test_metrics_and_what_chance_alone_promotes_are_told(ask: TestClient) -> None:
    assert "Mean rating that users gave" in run("metrics")
    assert ask.get("/v1/experiments").json()["false_promotions_a_year"] == 4.5


def test_a_file_without_a_plan_is_refused(ask: TestClient, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("{")
    result = CliRunner().invoke(app, ["experiment", "create", str(file)])
    assert result.exit_code == 1
    assert "holds no JSON" in str(result.exception)


def test_a_report_is_written_in_the_form_that_the_file_names(ask: TestClient, tmp_path: Path) -> None:
    made = ask.post("/v1/experiments", json=PLAN).json()["id"]
    for name, begins in (("report.html", b"<!doctype html>"), ("sums.parquet", b"PAR1"), ("report.json", b"{")):
        run("report", made, "--to", str(tmp_path / name))
        assert (tmp_path / name).read_bytes().lstrip().startswith(begins)
    assert json.loads(run("report", made))["scorecard"]["sentence"] == "It has not been started."
    assert "<h1>It has not been started.</h1>" in run("report", made, "--format", "html")
    result = CliRunner().invoke(app, ["experiment", "report", made, "--to", str(tmp_path / "report.pdf")])
    assert "names no format" in str(result.exception)


def test_looks_and_decisions_are_asked_for_by_name(ask: TestClient) -> None:
    made = json.loads(run("create", "-", "--start", "--json", text=json.dumps(PLAN)))["id"]
    assert "continue: Nobody has taken part yet." in run("look", made)
    run("stop", made, "--reason", "holiday")
    assert "holiday" in run("decisions", made)
