"""`POST /v1/context`: the retriever of a chatbot, whose feedback comes back as for a search."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient


def context(service: TestClient, **body: Any) -> Any:
    response = service.post("/v1/context", json={"question": "how do I print an envelope", **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_the_passage_that_answers_comes_first_with_its_document(service: TestClient) -> None:
    first = context(service)["passages"][0]
    assert first["document_id"] == "envelope"
    assert first["text"] == "Choose Insert Envelope to print an address."
    assert first["rank"] == 1


def test_the_budget_holds_for_all_passages_together(service: TestClient) -> None:
    answer = context(service, budget_tokens=25)
    assert 0 < answer["tokens"] <= 25
    assert answer["tokens"] == sum(passage["tokens"] for passage in answer["passages"])


def test_feedback_on_a_passage_is_taken(service: TestClient) -> None:
    answer = context(service, user="bot-user")
    event = {
        "type": "rating",
        "query_id": answer["query_id"],
        "document_id": answer["passages"][0]["document_id"],
        "value": 5,
    }
    reply = service.post("/v1/events", json=[event]).json()
    assert reply["refused"] == 0


def test_filters_hold(service: TestClient) -> None:
    answer = context(service, filters={"app": "C"})
    assert {passage["document_id"] for passage in answer["passages"]} <= {"chart", "filter"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"question": ""}, "question"),
        ({"question": "a", "budget_tokens": 1}, "budget_tokens"),
        ({"question": "a", "surface": "My Page"}, "surface"),
        ({"question": "a", "filters": {"none": 1}}, "filters.none"),
        ({"question": "a", "k": 3}, "k"),
    ],
)
def test_a_request_that_does_not_fit_names_its_field(service: TestClient, body: dict[str, Any], field: str) -> None:
    response = service.post("/v1/context", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
