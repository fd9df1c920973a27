"""A team that keeps its own engine and its own trackers: clickloop learns from what they already send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from collector.tables import evidence, impressions
from foundation.clock import SystemClock
from foundation.database.engine import make_engine
from foundation.privacy.privacy import Privacy, open_privacy
from foundation.settings import Settings
from tests.contract.conftest import wait_until

CREDENTIALS = {"X-Algolia-Application-Id": "app", "X-Algolia-API-Key": "key"}


@pytest.fixture(scope="module")
def database(service: TestClient, service_home: Path) -> Iterator[sa.Engine]:
    engine = make_engine(f"sqlite:///{service_home.resolve() / 'clickloop.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def people(service: TestClient, service_settings: Settings) -> Privacy:
    """What the service keeps of people; it has made the key."""
    return open_privacy(service_settings.home, service_settings)


def now_ms() -> int:
    return int(SystemClock().now().timestamp() * 1000)


def clicked(database: sa.Engine, query: str) -> dict[str, list[int]]:
    """Return the ranks at which each document of a query was clicked, as counts by rank."""
    with database.connect() as connection:
        rows = connection.execute(sa.select(evidence).where(evidence.c.query_key == query)).all()
    return {row.document_id: list(row.clicked[:3]) for row in rows if any(row.clicked)}


def show(service: TestClient, query_id: str, query: str) -> Any:
    shown = {"query_id": query_id, "user_query": query, "client_id": "c", "query_response_hit_ids": ["label", "chart"]}
    return service.post("/ubi_queries", json=shown).json()


def test_clicks_on_another_engines_answers_become_evidence(
    service: TestClient, database: sa.Engine, people: Privacy
) -> None:
    place = {"position": {"ordinal": 2}, "object": {"object_id": "chart", "object_id_field": "id"}}
    event = {"action_name": "click", "query_id": "x-1", "timestamp": now_ms(), "event_attributes": place}

    assert service.post("/ubi_events", json=[event]).json()["accepted"] == 1, "before its search is known"
    assert show(service, "x-1", "external toner")["query_id"] == "x-1"
    show(service, "x-1", "external toner")
    service.post("/ubi_events", json=[event])

    wait_until(lambda: clicked(database, "external toner") == {"chart": [0, 1, 0]})
    with database.connect() as connection:
        row = connection.execute(sa.select(impressions).where(impressions.c.query_id == "x-1")).one()
    assert (row.version, row.experiment, row.unit) == ("external", "", people.person("c"))


def test_insights_join_the_list_that_another_intake_sent(service: TestClient, database: sa.Engine) -> None:
    query_id = "43b15df305339e827f0ac0bdc5ebcaa7"
    show(service, query_id, "insights toner")
    event = {"eventType": "click", "eventName": "n", "index": "i", "userToken": "u", "queryID": query_id}
    body = json.dumps({"events": [event | {"objectIDs": ["label"], "positions": [1]}]})

    reply = service.post("/1/events", content=body, headers=CREDENTIALS | {"Content-Type": "text/plain"})

    assert reply.json() == {"status": 200, "message": "OK"}
    wait_until(lambda: clicked(database, "insights toner") == {"label": [1, 0, 0]})


def test_meilisearchs_events_join_clickloops_own_answers(service: TestClient, database: sa.Engine) -> None:
    answer = service.post("/v1/search", json={"query": "printing envelopes and labels", "user": "m"}).json()
    top = answer["hits"][0]["id"]
    event = {"eventType": "click", "eventName": "n", "indexUid": "i", "objectId": top, "position": 0}

    reply = service.post("/events", json=event | {"queryUid": answer["query_id"]}, headers={"X-MS-USER-ID": "m"})

    assert reply.status_code == 201
    wait_until(lambda: clicked(database, "printing envelopes and labels") == {top: [1, 0, 0]})


def test_metaranks_items_are_laid_over_documents(service: TestClient, database: sa.Engine) -> None:
    common = {"timestamp": str(now_ms())}
    events: list[dict[str, Any]] = [
        {"event": "item", "id": "1", "item": "slide", "fields": [{"name": "stars", "value": 5}]},
        {"event": "item", "id": "2", "item": "unknown", "fields": [{"name": "stars", "value": 5}]},
        {"event": "ranking", "id": "m-1", "fields": [{"name": "query", "value": "slides"}], "items": [{"id": "slide"}]},
        {"event": "interaction", "id": "m-2", "ranking": "m-1", "type": "click", "item": "slide", "user": "anna"},
    ]

    reply = service.post("/feedback", json=[event | common for event in events]).json()

    assert (reply["status"], reply["accepted"], reply["updated"]) == ("ok", 4, 1)
    assert "no document 'unknown'" in reply["verdicts"][1]["reasons"][0]
    document = service.get("/v1/documents/slide").json()
    assert (document["title"], document["fields"]) == ("Slide transitions", {"app": "I", "stars": 5})
    wait_until(lambda: clicked(database, "slides") == {"slide": [1, 0, 0]})
