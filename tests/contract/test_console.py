"""What people who open the console rely on: pages that answer, and text that stays text."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ab_testing.api import ExperimentPlan, Experiments
from collector.join.batch import fold_batch
from console.http import make_router
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, Manifest, ShownResult
from foundation.database.engine import transaction
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from retrainer.hotswap import HotSwap
from retrainer.runs import Runs
from serving.tables import replicas

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
BASELINE = Manifest(encoder="e")
LEARNED = Manifest(encoder="e", adapter="a", fusion="linear", weights={"bm25": 1.25})
PAGES = ("", "/search", "/versions", "/experiments", "/training-runs", "/gold", "/gold?q=print")


class House:
    """A console over a database of its own, with a champion and one candidate."""

    def __init__(self, engine: sa.Engine, clock: FrozenClock, folder: Path) -> None:
        self.engine = engine
        self.clock = clock
        self.registry = Registry(engine, ArtifactStore(str(folder)))
        self.hotswap = HotSwap(engine, self.registry, clock, timedelta(minutes=1))
        self.experiments = Experiments(engine, clock)
        self.runs = Runs(engine, clock)
        self.hotswap.install("default", BASELINE)
        self.client = TestClient(self._app(), raise_server_exceptions=False)

    def _app(self) -> FastAPI:
        def state() -> dict[str, dict[str, Any]]:
            return {"default": {"version": BASELINE.id, "problem": "", "documents": 7, "behind": 0}}

        app = FastAPI()
        install_edge(app, Edge(1000))
        app.include_router(
            make_router(self.registry, self.runs, self.hotswap, self.experiments, state, self.engine, self.clock)
        )
        return app

    def add_version(self, reason: str) -> str:
        self.registry.register(
            Version(
                collection="default",
                id=LEARNED.id,
                parent=BASELINE.id,
                status="refused",
                reason=reason,
                manifest=LEARNED,
                lineage={"data_digest": reason},
                metrics={"change": 0.0312, "judged": 40},
                created_at=self.clock.now(),
            )
        )
        return LEARNED.id

    def add_experiment(self, name: str, kind: Any = "interleaving") -> str:
        plan = ExperimentPlan(name, kind, BASELINE.id, LEARNED.id, planned_searches=1000, min_days=1, max_days=7)
        experiment = self.experiments.create("default", plan)
        return self.experiments.start("default", experiment.id).id

    def add_search(self, query_id: str, clicks: int, experiment: str = "", arm: str = "champion") -> None:
        shown = Impression(
            collection="default",
            query_id=query_id,
            query="q",
            unit=query_id,
            version=BASELINE.id,
            results=tuple(ShownResult(f"d{rank}", rank, 1.0) for rank in (1, 2, 3)),
            at=self.clock.now(),
            experiment=experiment,
            arm=arm,
            drawn_by=query_id if experiment else "",
            run=1 if experiment else 0,
        )
        at = self.clock.now()
        clicked = [
            FeedbackEvent("default", f"{query_id}/{rank}", "click", query_id, f"d{rank}", "", 0.0, at, at)
            for rank in range(1, clicks + 1)
        ]
        with transaction(self.engine) as connection:
            fold_batch(connection, [shown, *clicked], Settings())

    def get(self, path: str) -> Any:
        return self.client.get(f"/console{path}")

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)


@pytest.fixture
def house(engine: sa.Engine, clock: FrozenClock, tmp_path: Path) -> House:
    return House(engine, clock, tmp_path / "artifacts")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_answers_without_any_data(house: House, page: str) -> None:
    answer = house.get(f"{page}?collection=empty")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "empty" in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_fit_for_screen_readers_and_runs_only_the_consoles_script(house: House, page: str) -> None:
    answer = house.get(page)
    text = answer.text
    assert '<html lang="en">' in text
    assert text.count("<h1>") == 1
    assert text.count('aria-current="page"') == 1
    assert all(f'for="{name}"' in text for name in re.findall(r'<(?:input|select) id="(\w+)"', text))
    assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", text))
    assert re.findall(r'<script src="([^"]+)"', text) == ["/console/static/console.js"]
    assert not re.findall(r"<[^>]+ (?:on\w+|style)=", text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_overview_shows_what_serves_and_how_much_it_is_used(house: House) -> None:
    house.add_search("old", clicks=1)
    house.clock.advance(timedelta(days=8))
    house.add_search("one", clicks=2)
    house.add_search("two", clicks=0)
    with house.engine.begin() as connection:
        row = {"collection": "default", "replica": "r-1", "version": BASELINE.id, "problem": "disk full"}
        connection.execute(sa.insert(replicas).values(**row, seen_at=house.clock.now()))
    text = house.text("")
    assert BASELINE.id in text
    assert "<dd>7</dd>" in text
    assert "<dt>Searches, 7 days</dt><dd>2</dd>" in text
    assert "<dt>With a click</dt><dd>50.0%</dd>" in text
    assert "<dt>Clicks, 7 days</dt><dd>2</dd>" in text
    assert "disk full" in text


def test_a_version_shows_why_it_is_refused_and_what_it_came_from(house: House) -> None:
    version = house.add_version("not better than the champion")
    listed = house.text("/versions")
    assert "not better than the champion" in listed
    assert "+0.0312" in listed
    assert f'data-api="/v1/versions/{version}/promote"' in listed
    assert f'data-api="/v1/versions/{BASELINE.id}/promote"' not in listed, "it is the champion"
    shown = house.text(f"/versions/{version}")
    assert BASELINE.id in shown
    assert "+1.2500" in shown


def test_rollback_is_offered_when_there_is_something_to_go_back_to(house: House) -> None:
    version = house.add_version("passed")
    assert "/v1/versions/rollback" not in house.text("/versions")
    house.hotswap.promote("default", version, "by hand")
    assert 'data-api="/v1/versions/rollback"' in house.text("/versions")


@pytest.mark.parametrize("kind", ["ab", "interleaving"])
def test_an_experiment_without_traffic_says_so(house: House, kind: str) -> None:
    house.add_version("passed")
    experiment = house.add_experiment("adapter", kind)
    assert "adapter" in house.text("/experiments")
    text = house.text(f"/experiments/{experiment}")
    assert "Too few users" in text
    assert f'data-api="/v1/experiments/{experiment}/stop"' in text


def test_a_scorecard_shows_arms_effect_split_and_decision(house: House) -> None:
    house.add_version("passed")
    experiment = house.add_experiment("adapter", "ab")
    for number in range(200):
        arm = "treatment" if number % 2 else "control"
        house.add_search(f"s{number}", clicks=number % 3 == 0, experiment=experiment, arm=arm)
    text = house.text(f"/experiments/{experiment}")
    assert "<svg" in text
    assert "It may be read at any time" in text
    assert "The units fit the planned split" in text
    report = house.get(f"/experiments/{experiment}/report")
    assert f'href="/console/experiments/{experiment}/report?collection=default"' in text
    assert "The units fit the planned split" in report.text
    assert "style-src 'sha256-" in report.headers["content-security-policy"]
    house.experiments.stop("default", experiment, "wrong version")
    assert "wrong version" in house.text(f"/experiments/{experiment}")


def test_a_training_run_shows_its_step_and_what_it_said(house: House) -> None:
    run = house.runs.request("default", autopilot=True)
    house.runs.end(run, "refused", "could be worse than the champion")
    text = house.text("/training-runs")
    assert "could be worse than the champion" in text
    assert 'data-api="/v1/training-runs"' in text


def test_hostile_text_stays_text(house: House) -> None:
    version = house.add_version(HOSTILE)
    experiment = house.add_experiment(HOSTILE)
    house.runs.end(house.runs.request("default", autopilot=False), "failed", HOSTILE)
    house.hotswap.promote("default", version, HOSTILE)
    pages = [f"/versions/{version}", f"/experiments/{experiment}", f"/experiments/{experiment}/report", *PAGES]
    for page in pages:
        text = house.client.get(f"/console{page}", params={"q": HOSTILE}).text
        assert "<img" not in text, page
        assert "<script>" not in text, page
    assert "&lt;script&gt;" in house.text("/training-runs")


def test_what_is_not_there_is_a_page_too(house: House) -> None:
    for path, status in (("/versions/v-9", 404), ("/experiments/nope", 404), ("?collection=A", 422)):
        answer = house.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert "Back to the overview" in answer.text


def test_the_script_never_makes_markup_of_text_and_links_only_what_cannot_run(house: House) -> None:
    answer = house.get("/static/console.js")
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", answer.text)
    assert 'protocol === "http:" || protocol === "https:"' in answer.text


def test_nothing_but_the_two_files_is_served(house: House) -> None:
    assert house.get("/static/console.css").status_code == 200
    assert house.get("/static/..%2froutes.py").status_code in {404, 422}
    assert house.get("/static/other.css").status_code == 422


def test_the_pages_are_no_part_of_the_api(house: House) -> None:
    assert house.client.get("/openapi.json").json()["paths"] == {}
