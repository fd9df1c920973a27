"""`POST /v1/rank`: another engine's candidates, in its order until people's clicks say otherwise."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.contract.conftest import wait_until

CANDIDATES: list[dict[str, Any]] = [{"id": f"sku-{number}", "score": 20.0 - number} for number in range(1, 21)]
_SHOPS = count()


@pytest.fixture
def shop() -> dict[str, str]:
    """The header of a collection that nobody has used."""
    return {"Clickloop-Collection": f"shop-{next(_SHOPS)}"}


def rank(service: TestClient, shop: dict[str, str], **options: Any) -> Any:
    body = {"query": "laser toner", "candidates": CANDIDATES, **options}
    response = service.post("/v1/rank", json=body, headers=shop)
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer: Any) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def click(service: TestClient, shop: dict[str, str], document: str, people: int, query: str = "laser toner") -> None:
    """Let so many people ask, and click a document."""
    for person in range(people):
        user = f"{document}-{query}-{person}"
        answer = rank(service, shop, user=user, query=query)
        event = {"id": f"{shop}-{user}", "type": "click", "query_id": answer["query_id"], "document_id": document}
        reply = service.post("/v1/events", json=event | {"user": user}, headers=shop)
        assert reply.status_code == 202, reply.text


def test_a_collection_of_which_nothing_is_known_keeps_the_engines_order(
    service: TestClient, shop: dict[str, str]
) -> None:
    answer = rank(service, shop)

    assert ids(answer) == [one["id"] for one in CANDIDATES]
    assert (answer["arm"], answer["experiment"], answer["logged"]) == ("champion", "", True)
    assert [(hit["rank"], hit["engine_rank"]) for hit in answer["hits"]] == [(n, n) for n in range(1, 21)]


def test_documents_of_the_catalog_stand_in_the_engines_order_too_until_something_is_learned(
    service: TestClient,
) -> None:
    candidates = [{"id": name} for name in ("macro", "unknown", "slide", "chart", "envelope")]
    answer = rank(service, {}, query="print an envelope", candidates=candidates, log=False)
    assert ids(answer) == [one["id"] for one in candidates]


def test_clicks_of_people_bring_a_document_up_within_seconds(service: TestClient, shop: dict[str, str]) -> None:
    click(service, shop, "sku-15", people=3)
    wait_until(lambda: ids(rank(service, shop, log=False)).index("sku-15") < 9)
    answer = rank(service, shop, explain=True, log=False)
    hit = next(hit for hit in answer["hits"] if hit["id"] == "sku-15")
    assert hit["engine_rank"] == 15
    assert hit["scores"]["evidence"] > 0
    assert hit["score"] == pytest.approx(sum(hit["scores"].values()), abs=1e-3)
    assert answer["stages_ms"]["memory"] >= 0


def test_one_click_moves_a_document_no_higher_than_half_its_rank(service: TestClient, shop: dict[str, str]) -> None:
    click(service, shop, "sku-20", people=1)
    wait_until(lambda: ids(rank(service, shop, log=False)).index("sku-20") < 19)
    assert ids(rank(service, shop, log=False)).index("sku-20") >= 9


def test_queries_alike_learn_from_each_other(service: TestClient, shop: dict[str, str]) -> None:
    click(service, shop, "sku-12", people=3, query="laser toner black")
    wait_until(lambda: ids(rank(service, shop, query="black laser toner", log=False)).index("sku-12") < 11)


def test_searching_a_collection_without_documents_stays_not_found(service: TestClient, shop: dict[str, str]) -> None:
    click(service, shop, "sku-2", people=2)
    wait_until(lambda: shop["Clickloop-Collection"] in service.get("/readyz").json()["collections"])
    assert service.post("/v1/search", json={"query": "toner"}, headers=shop).status_code == 404
    assert rank(service, shop)["logged"]


def test_ranks_say_the_order_and_the_first_of_equal_ids_counts(service: TestClient, shop: dict[str, str]) -> None:
    given = [{"id": "b", "rank": 2}, {"id": 7, "rank": 1}, {"id": "b", "rank": 3}, {"id": "c", "rank": 4}]
    answer = rank(service, shop, candidates=given, limit=2)
    assert ids(answer) == ["7", "b"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"candidates": []}, "candidates"),
        ({"candidates": [{"id": ""}]}, "candidates.0.id"),
        ({"candidates": [{"id": "a", "rank": 1}, {"id": "b"}]}, "body"),
        ({"candidates": [{"id": f"{number}"} for number in range(1001)]}, "candidates"),
        ({"candidates": [{"id": "a", "text": "x" * 10_001}]}, "candidates.0.text"),
        ({"candidates": [{"id": "\U0001f600" * 200 + f"{number}"} for number in range(600)]}, "body"),
        ({"query": " "}, "query"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_ordered_is_told(
    service: TestClient, shop: dict[str, str], body: dict[str, Any], field: str
) -> None:
    reply = service.post("/v1/rank", json={"query": "toner", "candidates": CANDIDATES} | body, headers=shop)
    assert reply.status_code == 422
    assert [fault["field"] for fault in reply.json()["errors"]] == [field]


def test_scores_that_are_no_numbers_are_refused(service: TestClient, shop: dict[str, str]) -> None:
    body = b'{"query": "toner", "candidates": [{"id": "a", "score": NaN}]}'
    reply = service.post("/v1/rank", content=body, headers={**shop, "Content-Type": "application/json"})
    assert reply.status_code in (400, 422)


def test_rules_apply_to_the_candidates_that_are_sent(service: TestClient, shop: dict[str, str]) -> None:
    click(service, shop, "sku-1", people=1)
    wait_until(lambda: shop["Clickloop-Collection"] in service.get("/readyz").json()["collections"])
    candidates = [one | {"fields": {"brand": "acme" if one["id"] == "sku-9" else "other"}} for one in CANDIDATES]
    rule = {
        "when": {"queries": ["laser toner"]},
        "pin": [{"id": "sku-5", "rank": 2}, {"id": "elsewhere", "rank": 1}],
        "hide": ["sku-3"],
        "boost": [{"filter": {"id": ["sku-9"]}, "by": 20}],
    }
    assert service.put("/v1/rules", json={"toner": rule}, headers=shop).status_code == 200
    asked = {"candidates": candidates, "limit": 4, "log": False}
    wait_until(lambda: "sku-5" in ids(rank(service, shop, **asked)))
    answer = rank(service, shop, explain=True, **asked)
    assert [(hit["id"], hit["engine_rank"], hit["rule"]) for hit in answer["hits"]] == [
        ("sku-9", 9, ""),
        ("sku-5", 5, "toner"),
        ("sku-1", 1, ""),
        ("sku-2", 2, ""),
    ]
    assert answer["hits"][0]["scores"]["owner"] == 20
    assert ids(rank(service, shop, query="ink", **asked)) == ["sku-1", "sku-2", "sku-3", "sku-4"]
