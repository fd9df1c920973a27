"""A collection without a document answers: before its first one, after its last one, and sealed in that state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clickloop.cli.exporting import export_documents
from clickloop.container import Container
from clickloop.server.app import make_app
from clickloop.training import prepare_training
from foundation.errors import Conflict
from foundation.settings import Settings
from tests.background import collecting
from tests.contract.conftest import DOCUMENTS, served, wait_until
from tests.tiny_encoder import make_tiny_model

Seen = dict[str, Any]

SEARCHES: tuple[dict[str, Any], ...] = (
    {"query": "printing"},
    {"query": "pritning", "k": 50, "log": False},
    {"query": "printing", "filters": {"app": "W", "size": {"gt": 1}}},
    {"query": "printing", "filters": {"not": {"exists": "app"}}},
    {"query": "printing", "sort": ["-size", "app"]},
    {"query": "printing", "facets": ["app", "size"]},
    {"query": "printing", "filters": {"app": ["W", None]}, "sort": "size", "facets": ["app"], "user": "u"},
)
READS = (
    "/v1/documents",
    "/v1/documents?after=a&limit=5",
    "/v1/fields",
    "/v1/suggest?q=pri",
    "/v1/index?digest=true",
    "/v1/versions",
    "/v1/experiments",
    "/v1/training-runs",
    "/v1/reports/queries",
    "/v1/reports/pairs",
    "/v1/reports/propensity",
    "/v1/reports/join-health",
    "/v1/quarantine",
    "/console",
    "/console/search",
    "/console/search?query=printing",
    "/console/versions",
    "/console/experiments",
    "/console/training-runs",
    "/metrics",
    "/readyz",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("empty")
    return Settings(home=home, model=str(make_tiny_model(home)), log_level="error", encoder_threads=1)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with collecting(settings), TestClient(make_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def container(settings: Settings) -> Iterator[Container]:
    container = Container(settings)
    yield container
    container.snapshots.clear()
    container.engine.dispose()


def put_all(client: TestClient) -> None:
    assert client.put("/v1/documents", json=DOCUMENTS).status_code == 200
    whole = {"documents": len(DOCUMENTS), "behind": 0, "waiting": 0}
    wait_until(lambda: whole.items() <= served(client).items() and served(client)["version"] != "")


def delete_all(client: TestClient) -> None:
    assert client.request("DELETE", "/v1/documents", json=[one["id"] for one in DOCUMENTS]).status_code == 200
    wait_until(lambda: served(client)["documents"] == served(client)["behind"] == 0)


def build(client: TestClient, container: Container) -> None:
    built = container.build("default")
    wait_until(lambda: served(client)["snapshot"] == built.id)


def finds_nothing(client: TestClient) -> None:
    for wanted in SEARCHES:
        answer = client.post("/v1/search", json=wanted)
        assert answer.status_code == 200, (wanted, answer.text)
        assert answer.json()["hits"] == []
        assert set(answer.json().get("facets", {})) == set(wanted.get("facets", ()))
    answer = client.post("/v1/context", json={"question": "how do I print", "filters": {"app": "W"}})
    assert (answer.status_code, answer.json()["passages"]) == (200, [])
    for path in READS:
        assert client.get(path).status_code == 200, path


def test_before_its_first_document_a_collection_is_read_and_unknown_to_searches(client: TestClient) -> None:
    for path in READS:
        assert client.get(path).status_code in {200, 404}, path
    assert client.post("/v1/search", json=SEARCHES[0]).status_code == 404
    assert client.post("/v1/index/builds").status_code == 404
    assert client.request("DELETE", "/v1/documents", json=["nothing"]).json()["verdicts"][0]["status"] == "absent"


def test_an_emptied_collection_answers_also_when_it_is_sealed_and_takes_documents(
    client: TestClient, container: Container
) -> None:
    for _ in range(2):  # twice: what was sealed empty is filled, emptied and sealed once more
        put_all(client)
        delete_all(client)
        finds_nothing(client)
        build(client, container)
        finds_nothing(client)
    put_all(client)
    found = client.post("/v1/search", json={"query": "envelopes", "filters": {"app": "W"}, "facets": ["app"]}).json()
    assert found["hits"][0]["id"] == "envelope"
    assert client.get("/readyz").json()["status"] == "ready"


def test_all_is_deleted_and_imported_anew_over_a_sealed_index(client: TestClient, container: Container) -> None:
    put_all(client)
    build(client, container)
    delete_all(client)
    finds_nothing(client)
    put_all(client)
    build(client, container)
    assert client.post("/v1/search", json={"query": "macro"}).json()["hits"][0]["id"] == "macro"


def test_feedback_on_what_is_gone_and_a_training_on_nothing_are_no_faults(
    client: TestClient, container: Container, tmp_path: Path
) -> None:
    put_all(client)
    asked = client.post("/v1/search", json={"query": "charts", "user": "u"}).json()
    delete_all(client)
    click = {"type": "click", "query_id": asked["query_id"], "document_id": "chart", "user": "u"}
    reply = client.post("/v1/events", json=[click]).json()
    assert reply["accepted"] == 1, reply
    wait_until(lambda: client.get("/v1/reports/queries?days=3650&limit=1").json()["searches"] > 0)
    finds_nothing(client)
    with pytest.raises(Conflict, match="no document"):
        prepare_training(container, "default", lambda _: None)
    file, count = export_documents(iter(()), tmp_path / "none.jsonl")
    assert (file.read_bytes(), count) == (b"", 0)
