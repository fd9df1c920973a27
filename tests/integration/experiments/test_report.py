"""Reports over HTTP: JSON, a page that stands alone, and the sums."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyarrow import parquet

from ab_testing.api import Assignments, Experiments
from ab_testing.report_http import PARQUET, choose, make_router
from console.http import make_pages
from foundation.clock import FrozenClock
from foundation.web.problems import install_problem_handlers
from tests.integration.experiments.conftest import Traffic, started

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def client(experiments: Experiments) -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(make_router(experiments, make_pages().show_report))
    return TestClient(app)


@pytest.fixture
def decided(experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock) -> str:
    """An interleaving experiment that the treatment won within four days."""
    experiment = started(experiments, assignments, kind="interleaving")
    for _ in range(4):
        clock.advance(timedelta(days=1))
        traffic.day(clock.now(), {"control": 0, "treatment": 75})
        experiments.look("default", experiment)
    return experiment


def test_json_tells_the_sentence_the_course_the_funnel_and_the_decision(client: TestClient, decided: str) -> None:
    report = client.get(f"/v1/experiments/{decided}/report").json()
    assert report["scorecard"]["sentence"].startswith("The new ranking wins: ")
    searches = [day["searches"] for day in report["days"]]
    assert searches == sorted(searches)
    assert searches[-1] == report["scorecard"]["searches"] == report["funnel"]["searches"]
    assert report["funnel"]["searches"] >= report["funnel"]["differed"] >= report["funnel"]["preferred"] > 0
    [decision] = report["decisions"]
    assert (decision["verdict"], decision["actor"]) == ("promote", "experiment")


def test_the_page_is_headed_by_the_sentence_and_needs_nothing_else(client: TestClient, decided: str) -> None:
    report = client.get(f"/v1/experiments/{decided}/report").json()
    answer = client.get(f"/v1/experiments/{decided}/report", headers={"Accept": BROWSER})
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{report['scorecard']['sentence']}</h1>" in answer.text
    assert not re.search(r"<script|<link|<img|\bsrc=|\bhref=|url\(|@import", answer.text)
    assert not re.search(r"<[^>]+ (?:on\w+|style)=", answer.text)
    assert answer.text.count("<svg") == 3
    assert answer.text.count("<table") >= 3
    for told in (report["decisions"][0]["plan_hash"], report["decisions"][0]["reason"], "experiment audit"):
        assert told in answer.text


def test_the_pages_policy_lets_in_its_own_style_alone(client: TestClient, decided: str) -> None:
    answer = client.get(f"/v1/experiments/{decided}/report?format=html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert f'content="{policy.split("; frame")[0]}"' in answer.text.replace("&#39;", "'")


def test_parquet_holds_the_sums_that_the_scorecard_shows(client: TestClient, decided: str) -> None:
    answer = client.get(f"/v1/experiments/{decided}/report?format=parquet")
    assert answer.headers["content-type"] == PARQUET
    rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    last = next(row for row in rows if row["decision"] and row["metric"] == "preference")
    card = client.get(f"/v1/experiments/{decided}/report").json()["scorecard"]
    assert last["sum_x"] / last["sum_y"] == pytest.approx(card["metrics"][0]["evidence"][0]["estimate"])


def test_an_experiment_without_traffic_has_a_report_in_every_form(
    client: TestClient, experiments: Experiments, assignments: Assignments
) -> None:
    for kind in ("ab", "interleaving"):
        experiment = started(experiments, assignments, collection=kind, kind=kind)
        for form in ("json", "html", "parquet"):
            answer = client.get(
                f"/v1/experiments/{experiment}/report?format={form}", headers={"Clickloop-Collection": kind}
            )
            assert answer.status_code == 200, answer.text


def test_what_is_not_there_or_not_a_form_is_told(client: TestClient, decided: str) -> None:
    assert client.get("/v1/experiments/nope/report").status_code == 404
    assert client.get("/v1/experiments/nope/report?format=parquet").status_code == 404
    assert client.get(f"/v1/experiments/{decided}/report?format=pdf").status_code == 422


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        (BROWSER, "html"),
        (PARQUET, "parquet"),
        ("application/json, text/html;q=0.9", "json"),
        ("application/json;q=0.5, text/html;q=0.9", "html"),
        ("text/html;q=0", "json"),
        ("text/html;q=much, image/png", "json"),
    ],
)
def test_the_form_is_the_one_that_is_wanted_most(accept: str, form: str) -> None:
    assert choose(accept) == form
