"""Over HTTP: people, nobody, an agent and a chatbot who search and report nothing move no ranking."""

from __future__ import annotations

import time
from typing import Any

from fastapi.testclient import TestClient

from foundation.settings import Settings
from tests.contract.conftest import wait_until

QUERY = "printing of sheets"
SILENT_PAGES = 160


def ranking(service: TestClient) -> list[tuple[str, float]]:
    answer = search(service, log=False, k=6)
    return [(hit["id"], hit["score"]) for hit in answer["hits"]]


def search(service: TestClient, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = service.post("/v1/search", json={"query": QUERY, **more}).json()
    return answer


def logged(service: TestClient) -> int:
    queries = service.get("/v1/reports/queries", params={"limit": 1000}).json()["queries"]
    return next((int(one["searches"]) for one in queries if one["query"] == QUERY), 0)


def test_searches_without_events_leave_every_ranking_as_it_was(service: TestClient, service_settings: Settings) -> None:
    first = search(service, user="reader")
    click = {"type": "click", "query_id": first["query_id"], "document_id": first["hits"][2]["id"], "user": "reader"}
    unclicked = ranking(service)
    assert service.post("/v1/events", json=click).status_code == 202
    wait_until(lambda: ranking(service) != unclicked)
    before = ranking(service)

    for number in range(40):
        search(service, user=f"silent {number}")
        search(service)
        search(service, user="agent", surface="agent")
        search(service, user="one person")
        service.post("/v1/context", json={"question": QUERY, "user": f"asker {number}"})
    wait_until(lambda: logged(service) >= SILENT_PAGES)
    time.sleep(3 * service_settings.refresh_s)  # as long as it would take to act

    assert ranking(service) == before
