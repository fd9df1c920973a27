"""Reports over the whole service: what was searched and clicked is told, by query and by pair."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from tests.contract.conftest import wait_until

QUERY = "printing of long envelopes"


def search_and_click(service: TestClient, user: str) -> str:
    answer = service.post("/v1/search", json={"query": QUERY, "user": user}).json()
    click = {"type": "click", "query_id": answer["query_id"], "document_id": answer["hits"][0]["id"]}
    assert service.post("/v1/events", json=click).status_code == 202
    return str(answer["query_id"])


def found(service: TestClient) -> dict[str, Any]:
    queries = service.get("/v1/reports/queries", params={"limit": 1000}).json()["queries"]
    return next((one for one in queries if one["query"] == QUERY), {})


def test_queries_and_pairs_tell_what_people_did(service: TestClient) -> None:
    asked = {search_and_click(service, f"reader-{number}") for number in range(5)}
    wait_until(lambda: found(service).get("click_rate") == 1.0 and found(service)["users"] == 5)

    pairs = service.get("/v1/reports/pairs", params={"limit": 1000}).json()["pairs"]

    first = max((pair for pair in pairs if pair["query"] == QUERY), key=lambda pair: pair["clicked"])
    assert first["clicked"] == 5
    assert set(first["sources"]) == asked


def test_an_empty_collection_has_empty_reports(service: TestClient) -> None:
    headers = {"Clickloop-Collection": "nobody-was-here"}

    assert service.get("/v1/reports/queries", headers=headers).json()["queries"] == []
    pairs = service.get("/v1/reports/pairs", headers=headers).json()
    assert (pairs["pairs"], pairs["complete"], pairs["next"]) == ([], True, None)


def test_a_collection_that_cannot_be_is_refused(service: TestClient) -> None:
    reply = service.get("/v1/reports/pairs", headers={"Clickloop-Collection": "No Name"})

    assert reply.status_code == 422


def test_the_threshold_of_learning_is_told(service: TestClient) -> None:
    report = service.get("/v1/reports/learning", headers={"Clickloop-Collection": "nothing-here"}).json()
    page = service.get("/console/training-runs?collection=nothing-here").text

    assert (report["clicked"], report["needed"], report["reached"]) == (0, 40, False)
    assert report["meaning"].startswith("0 queries have clicks lately; learning needs 40")
    assert report["meaning"] in page
