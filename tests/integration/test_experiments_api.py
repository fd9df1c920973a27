"""Experiments over HTTP."""

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ab_testing.api import Experiments
from ab_testing.http import make_router
from foundation.clock import FrozenClock
from foundation.web.problems import install_problem_handlers

PLAN: dict[str, Any] = {
    "name": "adapter against champion",
    "kind": "ab",
    "control": "v-1",
    "treatment": "v-2",
    "planned_searches": 1000,
    "min_days": 3,
    "max_days": 7,
}
VERSIONS = {("default", "v-1"), ("default", "v-2")}


@pytest.fixture
def client(engine: sa.Engine, clock: FrozenClock) -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(
        make_router(
            Experiments(engine, clock),
            lambda collection, version: version if (collection, version) in VERSIONS else None,
        )
    )
    return TestClient(app)


def create(client: TestClient) -> str:
    answer = client.post("/v1/experiments", json=PLAN)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_the_whole_life_of_an_experiment(client: TestClient) -> None:
    experiment = create(client)
    assert client.post(f"/v1/experiments/{experiment}/start").json()["state"] == "running"
    listed = client.get("/v1/experiments").json()["experiments"]
    assert [(one["id"], one["plan"]["treatment"]) for one in listed] == [(experiment, "v-2")]
    card = client.get(f"/v1/experiments/{experiment}").json()
    assert card["verdict"]["decision"] == "continue"
    assert card["verdict"]["inputs"]["plan"]["planned_searches"] == 1000
    assert client.post(f"/v1/experiments/{experiment}/look").json()["verdict"]["decision"] == "continue"
    stopped = client.post(f"/v1/experiments/{experiment}/stop", json={"reason": "wrong version"})
    assert stopped.json()["state"] == "stopped"
    [decision] = client.get(f"/v1/experiments/{experiment}/decisions").json()["decisions"]
    assert (decision["verdict"], decision["reason"]) == ("stopped", "wrong version")
    assert decision["inputs"]["plan"]["name"] == PLAN["name"]


def test_a_stop_needs_no_body(client: TestClient) -> None:
    experiment = create(client)
    client.post(f"/v1/experiments/{experiment}/start")
    assert client.post(f"/v1/experiments/{experiment}/stop").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "nul \x00"}, "name"),
        ({"kind": "bandit"}, "kind"),
        ({"control": "v-9"}, "control"),
        ({"treatment": "v-9"}, "treatment"),
        ({"treatment": 7}, "treatment"),
        ({"coverage": 0}, "coverage"),
        ({"planned_searches": "many"}, "planned_searches"),
        ({"planned_searches": 1.5}, "planned_searches"),
        ({"min_days": 8}, "max_days"),
        ({"alpha": 0.9}, "alpha"),
        ({"allpha": 0.01}, "allpha"),
    ],
)
def test_a_wrong_plan_is_refused_by_field(client: TestClient, changes: dict[str, Any], field: str) -> None:
    answer = client.post("/v1/experiments", json=PLAN | changes)
    assert answer.status_code == 422
    assert field in [error["field"].split(".")[-1] for error in answer.json()["errors"]]
    assert client.get("/v1/experiments").json()["experiments"] == []


@pytest.mark.parametrize(
    "missing", ["name", "kind", "control", "treatment", "planned_searches", "min_days", "max_days"]
)
def test_a_missing_value_is_named(client: TestClient, missing: str) -> None:
    answer = client.post("/v1/experiments", json={name: value for name, value in PLAN.items() if name != missing})
    assert answer.status_code == 422
    assert missing in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"coverage": NaN}', b"\xff"])
def test_a_body_that_is_no_plan_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/experiments", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


def test_unknown_and_misspelt_experiments(client: TestClient) -> None:
    assert client.get("/v1/experiments/no-such").status_code == 404
    assert client.post("/v1/experiments/no-such/start").status_code == 404
    assert client.get("/v1/experiments/no-such/decisions").status_code == 404
    assert client.get("/v1/experiments/a%00b").status_code == 422
    assert client.get("/v1/experiments?limit=0").status_code == 422


def test_a_state_that_does_not_fit_is_a_conflict(client: TestClient) -> None:
    first, second = create(client), create(client)
    client.post(f"/v1/experiments/{first}/start")
    answer = client.post(f"/v1/experiments/{second}/start")
    assert answer.status_code == 409
    assert first in answer.json()["detail"]
    assert client.post(f"/v1/experiments/{second}/stop").status_code == 409


def test_another_collection_has_its_own_experiments(client: TestClient) -> None:
    experiment = create(client)
    other = {"Clickloop-Collection": "shop"}
    assert client.get("/v1/experiments", headers=other).json()["experiments"] == []
    assert client.get(f"/v1/experiments/{experiment}", headers=other).status_code == 404
    answer = client.post("/v1/experiments", json=PLAN, headers=other)
    assert "collection 'shop' has no version 'v-1'" in answer.json()["detail"]


def test_every_value_of_the_openapi_page_is_described(client: TestClient) -> None:
    page = client.get("/openapi.json").json()
    mine = {
        "ArmReport",
        "Decision",
        "MetricEvidence",
        "Experiment",
        "ExperimentPlan",
        "Scorecard",
        "Verdict",
        "StopRequest",
    }
    assert mine <= page["components"]["schemas"].keys()
    for name in mine:
        for value, schema in page["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), f"{name}.{value}"
    for path in page["paths"].values():
        for operation in path.values():
            assert operation.get("description")
