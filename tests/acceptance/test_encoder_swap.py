"""A version with an encoder of its own is promoted and rolled back while people search: no search fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from benchmarks.harness.fixtures import index, register
from benchmarks.harness.server import Server
from benchmarks.swap import Crowd
from clickloop.container import Container
from foundation.contracts import Manifest
from foundation.settings import Settings
from serving.encode.form import open_encoder, pack_form
from tests.tiny_encoder import make_tiny_model

TIMEOUT_S = 60.0


@pytest.fixture
def container(home_settings: Settings) -> Iterator[Container]:
    container = Container(home_settings)
    yield container
    container.engine.dispose()


@pytest.fixture
def tuned(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("tuned")
    model = str(make_tiny_model(folder, seed=1))
    name = open_encoder(model, folder / "onnx", "int8", 1).digest
    form = container.registry.artifacts.put(pack_form(model, folder / "onnx", "int8"))
    return replace(container.baseline, encoder=name, encoder_form=form)


@pytest.mark.timeout(240)
def test_no_search_fails_while_the_encoder_is_swapped(
    home_settings: Settings,
    container: Container,
    tuned: Manifest,
    documents: list[dict[str, Any]],
    queries: list[str],
) -> None:
    with Server(home_settings) as server, httpx.Client(base_url=server.url, timeout=TIMEOUT_S) as client:
        index(server.remote, documents)
        version = register(container, tuned, "its encoder is another one")
        crowd = Crowd(server.url, queries, seed=1, clients=4)
        try:
            interleaved, told = await_experiment(client, container.baseline.id, version)
            client.post(f"/v1/versions/{version}/promote").raise_for_status()
            await_version(client, version)
            server.remote.put_lines("/v1/documents", '{"id": "late", "title": "Zanzibar", "text": "Spices by sea."}')
            await_document(client, "late")
            client.post("/v1/versions/rollback").raise_for_status()
            await_version(client, container.baseline.id)
        finally:
            answers = crowd.stop()
    assert {hit["id"] for hit in interleaved["hits"]} <= {document["id"] for document in documents}
    assert any("its encoder is new here" in problem for problem in told)
    assert [answer.problem for answer in answers if answer.problem] == []
    assert {container.baseline.id, version} <= {answer.version for answer in answers}


def await_experiment(client: httpx.Client, control: str, treatment: str) -> tuple[dict[str, Any], set[str]]:
    """Interleave two versions; return the first such answer, and the problems that were told until then."""
    plan: dict[str, Any] = {"name": "encoder", "control": control, "treatment": treatment, "kind": "interleaving"}
    plan |= {"planned_searches": 1000, "min_days": 1, "max_days": 7}
    experiment = client.post("/v1/experiments", json=plan).raise_for_status().json()["id"]
    client.post(f"/v1/experiments/{experiment}/start").raise_for_status()
    told: set[str] = set()
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        answer = client.post("/v1/search", json={"query": "print envelope", "user": "somebody"}).json()
        if answer["arm"] == "interleaved":
            return answer, told
        told.update(client.get("/readyz").json().get("problems", ()))
        assert time.monotonic() < deadline, f"nobody takes part: {told}"
        time.sleep(0.1)


def await_version(client: httpx.Client, version: str) -> None:
    """Wait until a version serves."""
    deadline = time.monotonic() + TIMEOUT_S
    while (state := client.get("/readyz").json())["collections"]["default"]["version"] != version:
        assert time.monotonic() < deadline, f"{version} does not come to serve: {state}"
        time.sleep(0.1)


def await_document(client: httpx.Client, document: str) -> None:
    """Wait until a document is found by its meaning too."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        hits = client.post("/v1/search", json={"query": "zanzibar spices", "log": False}).json()["hits"]
        waiting = client.get("/readyz").json()["collections"]["default"]["waiting"]
        if hits and hits[0]["id"] == document and not waiting:
            return
        assert time.monotonic() < deadline, f"{document} is not found"
        time.sleep(0.1)
