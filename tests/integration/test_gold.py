"""People judge queries; nothing is learned from these, on every kind of database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foundation.clock import FrozenClock
from foundation.web.problems import install_problem_handlers
from retrainer.gold.http import make_router
from retrainer.gold.sample import PooledDocument
from retrainer.gold.store import GoldSet
from retrainer.tables import gold_judgments

ASKED = [("first question", 9), ("second question", 4)]
JUDGED = [
    {"query": "First  question", "document_id": "a", "grade": 3},
    {"query": "First  question", "document_id": "b", "grade": 0},
]


def find(collection: str, query: str) -> list[PooledDocument]:
    return [PooledDocument(f"{collection}/{query}/{name}", name, "", "", 0.0, 0.0, 0.0) for name in "xy"]


@pytest.fixture
def client(any_engine: sa.Engine, clock: FrozenClock) -> TestClient:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(make_router(GoldSet(any_engine, clock), lambda _: ASKED, find))
    return TestClient(app)


def listed(client: TestClient, **headers: str) -> list[tuple[str, str, int]]:
    found = client.get("/v1/gold", headers=headers).json()["judgments"]
    return [(one["query"], one["document_id"], one["grade"]) for one in found]


def test_an_empty_set_is_a_set(client: TestClient) -> None:
    assert client.get("/v1/gold").json() == {"judgments": [], "queries": 0, "total": 0}


def test_judgments_come_back_with_who_gave_them(client: TestClient) -> None:
    assert client.put("/v1/gold", json=JUDGED).json() == {"judgments": 2}
    page = client.get("/v1/gold?limit=1").json()
    assert (page["queries"], page["total"], len(page["judgments"])) == (1, 2, 1)
    assert page["judgments"][0]["actor"] == "local"


def test_a_later_judgment_takes_the_place_of_a_former_whose_row_stays(
    client: TestClient, any_engine: sa.Engine
) -> None:
    client.put("/v1/gold", json=JUDGED)
    client.put("/v1/gold", json=[{"query": "first question", "document_id": "a", "grade": 1}])
    assert ("first question", "a", 1) in listed(client)
    assert len(listed(client)) == 2
    with any_engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(gold_judgments)).scalar() == 3


def test_a_query_taken_out_is_gone_and_may_come_back(client: TestClient) -> None:
    client.put("/v1/gold", json=JUDGED)
    answer = client.request("DELETE", "/v1/gold", json={"queries": ["FIRST question", "never judged"]})
    assert answer.json() == {"judgments": 2}
    assert listed(client) == []
    client.put("/v1/gold", json=JUDGED[:1])
    assert listed(client) == [("First  question", "a", 3)]


def test_collections_do_not_see_each_other(client: TestClient) -> None:
    client.put("/v1/gold", json=JUDGED, headers={"Clickloop-Collection": "other"})
    assert listed(client) == []
    assert len(listed(client, **{"Clickloop-Collection": "other"})) == 2


def test_a_query_that_is_judged_is_not_drawn_again(client: TestClient) -> None:
    drawn = client.get("/v1/gold/sample?count=5").json()["queries"]
    assert sorted(one["query"] for one in drawn) == ["first question", "second question"]
    assert {document["id"] for one in drawn for document in one["documents"]} >= {"default/first question/x"}
    client.put("/v1/gold", json=JUDGED)
    [left] = client.get("/v1/gold/sample?count=5").json()["queries"]
    assert (left["query"], left["searches"]) == ("second question", 4)


@pytest.mark.parametrize(
    "body",
    [
        [],
        [{"query": "", "document_id": "a", "grade": 1}],
        [{"query": "q", "document_id": "a", "grade": 11}],
        [{"query": "q", "document_id": "a", "grade": -1}],
        [{"query": "q", "document_id": "a", "grade": 1, "note": "x"}],
        {"query": "q"},
    ],
)
def test_a_wrong_judgment_is_refused_and_nothing_is_kept(client: TestClient, body: object) -> None:
    assert client.put("/v1/gold", json=body).status_code == 422
    assert listed(client) == []
