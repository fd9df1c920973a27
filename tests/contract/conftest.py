"""The whole service in this process, over a handful of documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clickloop.server.app import make_app
from foundation.settings import Settings
from tests.background import collecting
from tests.tiny_encoder import make_tiny_model

TIMEOUT_S = 20.0

DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "envelope",
        "title": "Printing envelopes",
        "text": "Choose Insert Envelope to print an address.",
        "app": "W",
    },
    {"id": "label", "title": "Printing labels", "text": "Labels are printed from the File menu.", "app": "W"},
    {"id": "chart", "title": "Inserting charts", "text": "A chart shows numbers of a sheet.", "app": "C"},
    {"id": "filter", "title": "Filtering rows", "text": "An autofilter hides rows of a sheet.", "app": "C", "size": 3},
    {"id": "slide", "title": "Slide transitions", "text": "A transition plays between two slides.", "app": "I"},
    {"id": "macro", "title": "Recording a macro", "text": "Record what you do and play it again.", "app": None},
]


def wait_until(holds: Callable[[], bool]) -> None:
    """Return when `holds` does; fail when it does not within 20 s."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def served(client: TestClient) -> dict[str, Any]:
    """Return what the service says of its default collection, nothing while it is unknown."""
    found: dict[str, Any] = client.get("/readyz").json().get("collections", {}).get("default", {})
    return found


@pytest.fixture(scope="session")
def service_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, model=str(make_tiny_model(home)), log_level="error", encoder_threads=1)


@pytest.fixture(scope="session")
def background(service_settings: Settings) -> Iterator[None]:
    """Collects and retrains beside the service."""
    with collecting(service_settings):
        yield


@pytest.fixture(scope="session")
def service(service_settings: Settings, background: None) -> Iterator[TestClient]:
    """The service with the documents above searchable in the default collection."""
    with TestClient(make_app(service_settings)) as client:
        assert client.put("/v1/documents", json=DOCUMENTS).status_code == 200
        wait_until(lambda: served(client).get("behind") == 0 and served(client)["version"] != "")
        yield client


@pytest.fixture(scope="session")
def service_home(service_settings: Settings) -> Path:
    return service_settings.home
