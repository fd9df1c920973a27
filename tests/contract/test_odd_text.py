"""After a flood of odd text nothing waits to be collected, nothing is a dead letter, and other collections go on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from foundation.telemetry.metrics import METRICS
from tests.contract.conftest import DOCUMENTS, wait_until

ODD = (
    "ΐ" * 700,
    "ΐ" * 240,
    "ﷺ" * 500,
    "İ" * 501,
    "\u0000",
    "a\u0000b",
    "\ud83d",
    "\u200b",
    "\u202e\u2066",
    "x" * 1000,
    "x" * 100_000,
    "",
    " \t ",
    "e\u0301\u0302\u0303" * 100,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 60,
)
ANONYMOUS = {"content-type": "application/json", "user-agent": "Mozilla/5.0"}
OTHER = {"Clickloop-Collection": "undisturbed"}


def test_a_flood_of_odd_text_leaves_nothing_waiting_and_nobody_disturbed(service: TestClient) -> None:
    assert service.put("/v1/documents", json=DOCUMENTS, headers=OTHER).status_code == 200
    wait_until(lambda: service.post("/v1/search", json={"query": "envelope"}, headers=OTHER).status_code == 200)
    before = sample("clickloop_folded_records_total", kind="dead_letter")
    alarms = sample("clickloop_dead_letter_alarms")  # of whatever ran in this process before

    statuses = {flood(service, text) for text in ODD for _ in range(8)}
    answer = service.post("/v1/search", json={"query": "labels", "user": "u1"}, headers=OTHER).json()
    click = {"type": "click", "query_id": answer["query_id"], "document_id": answer["hits"][0]["id"], "user": "u1"}
    assert service.post("/v1/events", json=click, headers=OTHER).status_code == 202

    assert all(status < 500 for some in statuses for status in some)
    wait_until(lambda: heard(service) == 1)
    wait_until(lambda: sample("clickloop_consumer_lag_records") == 0)
    assert sample("clickloop_folded_records_total", kind="dead_letter") == before
    assert sample("clickloop_dead_letter_alarms") == alarms
    assert not any("dead letter" in problem for problem in service.get("/readyz").json()["problems"])


def flood(service: TestClient, text: str) -> tuple[int, ...]:
    """Send a text wherever an anonymous browser may put one, and return what was answered."""
    hit = {"name": "query", "value": text}
    ranking = {"event": "ranking", "id": text, "timestamp": "1767614340000", "fields": [hit], "items": [{"id": text}]}
    insight = {"eventType": "click", "eventName": "x", "index": text, "userToken": text, "objectIDs": [text]}
    bodies: dict[str, Any] = {
        "/v1/search": {"query": text, "user": text, "session": text, "surface": text or "page"},
        "/v1/search?": {"query": text},
        "/v1/context": {"question": text},
        "/v1/events": {"type": "click", "query_id": text, "document_id": text, "user": text, "id": text},
        "/ubi_queries": {"query_id": text, "user_query": text, "query_response_hit_ids": [text], "client_id": text},
        "/ubi_events": {"action_name": "click", "query_id": text, "timestamp": "2026-01-05T10:00:00Z"},
        "/feedback": ranking,
        "/1/events": {"events": [insight]},
    }
    return tuple(
        service.post(path, content=json.dumps(body).encode(), headers=ANONYMOUS).status_code
        for path, body in bodies.items()
    )


def heard(service: TestClient) -> int:
    report = service.get("/v1/reports/join-health", headers=OTHER).json()
    (found,) = (one for one in report["findings"] if one["name"] == "clicks-without-impression")
    return int(found["of"] - found["count"])


def sample(name: str, **labels: str) -> float:
    return METRICS.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("text", ["\ufdfa" * 60, "㌀" * 400])
def test_a_query_that_is_too_long_when_folded_is_refused_with_both_lengths(service: TestClient, text: str) -> None:
    reply = service.post("/v1/search", json={"query": text})

    assert reply.status_code == 422
    assert "letters are folded" in reply.text
