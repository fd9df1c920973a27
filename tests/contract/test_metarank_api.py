"""`POST /rank/{model}` as Metarank's clients use it, beside `/feedback`."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from foundation.clock import SystemClock
from tests.contract.conftest import wait_until

SHOP = {"Clickloop-Collection": "metarank"}
ITEMS = [{"id": f"sku-{number}"} for number in range(1, 13)]
AT = SystemClock().now().isoformat()


def rank(service: TestClient, ranking: str, user: str = "", **options: Any) -> Any:
    named = [{"name": "query", "value": "laser toner"}]
    body = {"id": ranking, "timestamp": AT, "user": user or None, "session": "s", "fields": named, "items": ITEMS}
    response = service.post("/rank/default", json=body | options, headers=SHOP)
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer: Any) -> list[str]:
    return [one["item"] for one in answer["items"]]


def test_items_come_in_their_order_with_scores_that_fall(service: TestClient) -> None:
    answer = rank(service, "r-0")
    assert ids(answer) == [one["id"] for one in ITEMS]
    scores = [one["score"] for one in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["took"] >= 0


def test_relevancy_is_the_order_where_all_items_have_one(service: TestClient) -> None:
    items = [
        {"id": "a", "fields": [{"name": "relevancy", "value": 1}]},
        {"id": "b", "relevancy": 3.5},
        {"id": "c", "fields": [{"name": "relevancy", "value": 2.0}, {"name": "title", "value": "C"}]},
    ]
    assert ids(rank(service, "r-1", items=items)) == ["b", "c", "a"]
    assert ids(rank(service, "r-2", items=[*items, {"id": "d"}])) == ["a", "b", "c", "d"]


def test_feedback_names_the_ranking_by_the_clients_own_id_and_teaches(service: TestClient) -> None:
    for person in range(4):
        user = f"person-{person}"
        rank(service, f"own-{person}", user)
        click = {"event": "interaction", "id": f"c-{person}", "timestamp": AT, "item": "sku-9", "type": "click"}
        reply = service.post("/feedback", json=click | {"ranking": f"own-{person}", "user": user}, headers=SHOP)
        assert reply.json()["accepted"] == 1
    wait_until(lambda: ids(rank(service, "later")).index("sku-9") < 5)
    answer = service.post(
        "/rank/default?explain=true",
        json={"id": "x", "timestamp": 1, "fields": [{"name": "query", "value": "laser toner"}], "items": ITEMS},
        headers=SHOP,
    ).json()
    features = {one["name"]: one["value"] for one in answer["items"][0]["features"]}
    assert set(features) == {"engine", "learned", "owner", "evidence"}


def test_a_ranking_without_a_query_keeps_the_order_of_its_items(service: TestClient) -> None:
    assert ids(rank(service, "r-3", fields=None)) == [one["id"] for one in ITEMS]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"items": []}, "items"),
        ({"id": ""}, "id"),
        ({"items": [{"id": "x" * 257}]}, "items.0.id"),
        ({"fields": [{"name": "query", "value": 3}]}, "fields.query"),
        ({"fields": [{"name": "query", "value": "a\x00"}]}, "fields.query"),
    ],
)
def test_what_is_wrong_is_named(service: TestClient, wrong: dict[str, Any], field: str) -> None:
    body = {"id": "r", "timestamp": AT, "items": ITEMS} | wrong
    reply = service.post("/rank/default", json=body, headers=SHOP)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, field)
