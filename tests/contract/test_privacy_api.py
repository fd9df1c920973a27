"""What a data protection officer relies on: ids and addresses are kept nowhere, and people can be erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient

from collector.tables import evidence, impressions
from foundation.clock import SystemClock
from foundation.contracts import query_key
from foundation.database.engine import make_engine
from foundation.privacy.privacy import open_privacy
from foundation.sections import PrivacySettings
from tests.contract.conftest import wait_until

CREDENTIALS = {"X-Algolia-Application-Id": "app", "X-Algolia-API-Key": "key"}


def search(service: TestClient, query: str, **who: str) -> Any:
    return service.post("/v1/search", json={"query": query, **who}).raise_for_status().json()


def click(service: TestClient, answer: Any, user: str) -> None:
    event = {"type": "click", "query_id": answer["query_id"], "document_id": answer["hits"][0]["id"], "user": user}
    assert service.post("/v1/events", json=event).status_code == 202


def stored(home: Path, query: str) -> list[Any]:
    engine = make_engine(f"sqlite:///{home.resolve() / 'clickloop.db'}")
    with engine.connect() as connection:
        found = connection.execute(sa.select(impressions).where(impressions.c.query == query)).all()
    engine.dispose()
    return list(found)


def counted(home: Path, query: str) -> int:
    engine = make_engine(f"sqlite:///{home.resolve() / 'clickloop.db'}")
    with engine.connect() as connection:
        found = connection.execute(sa.select(evidence.c.users).where(evidence.c.query_key == query)).scalars().all()
    engine.dispose()
    return sum(found)


def test_no_way_in_leaves_an_id_or_an_address_on_the_disk(service: TestClient, service_home: Path) -> None:
    now = int(SystemClock().now().timestamp() * 1000)
    answer = search(service, "labels for secret-mail@example.com", user="secret-user-1")
    click(service, answer, "secret-user-2")
    search(service, "labels", session="secret-session-3")
    service.post(
        "/v1/context", json={"question": "labels of +49 30 9191919", "user": "secret-user-4"}
    ).raise_for_status()
    hits: dict[str, Any] = {"query_response_hit_ids": ["label"], "query_id": "ubi-secret"}
    service.post("/ubi_queries", json=hits | {"user_query": "secret-mail@example.com", "client_id": "secret-user-5"})
    done = {"action_name": "click", "query_id": "ubi-secret", "timestamp": now, "user_id": "secret-user-6"}
    service.post("/ubi_events", json=done | {"event_attributes": {"object": {"object_id": "label"}}})
    ranking = {"event": "ranking", "id": "m-secret", "user": "secret-user-7", "items": [{"id": "label"}]}
    fields = [{"name": "query", "value": "call +1 202-555-0123"}]
    service.post("/feedback", json=ranking | {"timestamp": str(now), "fields": fields})
    insight = {"eventType": "click", "eventName": "n", "index": "i", "userToken": "secret-user-8", "positions": [1]}
    body = json.dumps({"events": [insight | {"queryID": "43b15df305339e827f0ac0bdc5ebcaa8", "objectIDs": ["label"]}]})
    service.post("/1/events", content=body, headers=CREDENTIALS)
    event = {"eventType": "click", "eventName": "n", "indexUid": "i", "objectId": "label", "queryUid": "ubi-secret"}
    service.post("/events", json=event, headers={"X-MS-USER-ID": "secret-user-9"})
    wait_until(lambda: bool(stored(service_home, "call [phone]")) and counted(service_home, "labels for [mail]") == 1)

    files = [path for path in service_home.rglob("*") if path.is_file()]
    for personal in (b"secret-user", b"secret-session", b"secret-mail", b"9191919", b"202-555"):
        assert [path.name for path in files if personal in path.read_bytes()] == []


def test_a_click_counts_for_all_who_ask_the_same_but_for_the_masked(service: TestClient, service_home: Path) -> None:
    for user in ("one", "two"):
        click(service, search(service, f"envelope for {user}@example.com", user=user), user)

    wait_until(lambda: counted(service_home, query_key("envelope for [mail]")) == 2)


def test_a_person_is_erased_and_the_receipt_can_be_checked(service: TestClient, service_home: Path) -> None:
    click(service, search(service, "charts to be forgotten", user="team/anna smith"), "team/anna smith")
    wait_until(lambda: counted(service_home, "charts to be forgotten") == 1)

    receipt = service.delete("/v1/users/team%2Fanna%20smith").raise_for_status().json()
    audit = service.get(f"/v1/erasures/{receipt['id']}").raise_for_status().json()

    assert (receipt["counts"]["impressions"], receipt["counts"]["events"], receipt["versions"]) == (1, 1, [])
    assert receipt["person"] == open_privacy(service_home, PrivacySettings()).person("team/anna smith")
    assert (audit["genuine"], audit["erased"], audit["signature"]) == (True, True, receipt["signature"])
    assert counted(service_home, "charts to be forgotten") == 0
    assert "anna" not in json.dumps([receipt, audit])


def test_mistakes_are_problem_documents(service: TestClient) -> None:
    unknown = service.get("/v1/erasures/r-1")
    long = service.delete("/v1/users/" + "x" * 257)

    assert (unknown.status_code, long.status_code) == (404, 422)
    for reply in (unknown, long):
        assert reply.headers["content-type"] == "application/problem+json"
