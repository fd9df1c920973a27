"""What clients see while a store is really away: searches go on, writes are refused in time, and all comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from benchmarks.chaos.faults import LockedFile
from clickloop.container import Container
from clickloop.server.app import make_app
from foundation.database.engine import make_engine, reading
from foundation.eventlog.tables import log_records
from foundation.settings import Settings
from tests.contract.conftest import DOCUMENTS, served, wait_until
from tests.tiny_encoder import make_tiny_model

BUDGET_S = 0.5
SLACK_S = 1.0  # for a machine that has much else to do
WRITES_WITHIN_S = 2.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, model=str(make_tiny_model(home)), log_level="error", encoder_threads=1)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """A service of its own; all of its searches take part in an experiment of its version against itself."""
    with TestClient(make_app(settings)) as client:
        assert client.put("/v1/documents", json=DOCUMENTS).status_code == 200
        wait_until(lambda: served(client).get("behind") == 0 and served(client)["version"] != "")
        version = Container(settings).baseline.id
        plan = {"name": "a/a", "kind": "ab", "control": version, "treatment": version, "planned_searches": 1000}
        created = client.post("/v1/experiments", json=plan | {"min_days": 1, "max_days": 7}).json()
        client.post(f"/v1/experiments/{created['id']}/start")
        wait_until(lambda: search(client)["experiment"] == created["id"])
        yield client


@pytest.fixture
def locked_log(settings: Settings, client: TestClient) -> Iterator[LockedFile]:
    fault = LockedFile(Path(settings.resolved_log_url().removeprefix("sqlite:///")))
    yield fault
    wait_until(lambda: not [sentence for sentence in ready(client)["problems"] if "cannot be" in sentence])


@pytest.fixture
def locked_database(settings: Settings, client: TestClient) -> Iterator[LockedFile]:
    fault = LockedFile(Path(settings.resolved_database_url().removeprefix("sqlite:///")))
    yield fault
    wait_until(lambda: not [sentence for sentence in ready(client)["problems"] if "cannot be" in sentence])


def search(client: TestClient, **more: Any) -> dict[str, Any]:
    reply = client.post("/v1/search", json={"query": "print envelope", "user": "u"} | more)
    assert reply.status_code == 200
    found: dict[str, Any] = reply.json()
    return found


def ready(client: TestClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/readyz").json()
    return told


def click(query_id: str) -> dict[str, str]:
    return {"id": f"e-{query_id}", "type": "click", "query_id": query_id, "document_id": "envelope"}


def unlogged(client: TestClient) -> float:
    page = client.get("/metrics").text
    return next(
        float(row.split()[1]) for row in page.splitlines() if row.startswith("clickloop_unlogged_searches_total")
    )


def logged_ids(settings: Settings) -> str:
    engine = make_engine(settings.resolved_log_url())
    with reading(engine) as connection:
        return " ".join(connection.execute(sa.select(log_records.c.body)).scalars())


def test_a_search_that_cannot_be_logged_is_answered_in_time_and_joins_no_experiment(
    client: TestClient, settings: Settings, locked_log: LockedFile
) -> None:
    before = unlogged(client)
    locked_log.begin()
    began = time.monotonic()
    answers: list[dict[str, Any]] = []
    seconds: list[float] = []
    while time.monotonic() - began < 2.5:  # the log is found to be away in the midst of these
        asked = time.monotonic()
        answers.append(search(client, user=f"u{len(answers)}"))
        seconds.append(time.monotonic() - asked)
    context = client.post("/v1/context", json={"question": "how do I print an envelope", "user": "u"}).json()
    told = ready(client)
    locked_log.end()
    wait_until(lambda: search(client)["logged"])
    after = search(client)
    kept = logged_ids(settings)

    assert max(seconds) < BUDGET_S + SLACK_S
    assert seconds[-1] < BUDGET_S
    assert {(one["logged"], one["experiment"]) for one in (*answers, context)} == {(False, "")}
    assert all(one["hits"] for one in answers)
    assert answers[0]["arm"] == ""
    assert answers[-1]["arm"] == "champion"
    assert unlogged(client) >= before + len(answers) + 1
    assert (told["status"], bool(told["problems"])) == ("degraded", True)
    assert (after["logged"], after["experiment"] != "") == (True, True)
    assert not [one["query_id"] for one in answers if one["query_id"] in kept]
    assert after["query_id"] in kept


def test_events_are_refused_in_time_while_the_log_is_locked_and_taken_after(
    client: TestClient, locked_log: LockedFile
) -> None:
    query_id = search(client)["query_id"]
    locked_log.begin()
    refusals = []
    for _ in range(3):
        asked = time.monotonic()
        reply = client.post("/v1/events", json=click(query_id))
        refusals.append((reply.status_code, "retry-after" in reply.headers, time.monotonic() - asked < WRITES_WITHIN_S))
    locked_log.end()

    assert refusals == [(503, True, True)] * 3
    wait_until(lambda: client.post("/v1/events", json=click(query_id)).status_code == 202)


def test_documents_are_refused_in_time_while_the_database_is_locked_and_searches_go_on(
    client: TestClient, locked_database: LockedFile
) -> None:
    locked_database.begin()
    asked = time.monotonic()
    reply = client.put("/v1/documents", json={"id": "new", "title": "New", "text": "A page."})
    took_s = time.monotonic() - asked
    deleted = client.delete("/v1/documents/envelope")
    found = search(client)
    told = ready(client)
    locked_database.end()

    assert (reply.status_code, reply.json()["type"]) == (503, "urn:clickloop:problem:store-away")
    assert "retry-after" in reply.headers
    assert took_s < WRITES_WITHIN_S
    assert deleted.status_code == 503
    assert (found["logged"], found["experiment"] != "") == (True, True)
    assert told["status"] == "degraded"
    assert any("cannot be written" in sentence for sentence in told["problems"])


def test_a_search_that_wants_no_log_says_that_it_has_none(client: TestClient) -> None:
    assert (search(client, log=False)["logged"], search(client)["logged"]) == (False, True)
