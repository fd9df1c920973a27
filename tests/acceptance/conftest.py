"""Homes for real server processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.fixtures import index
from benchmarks.harness.server import Server
from foundation.settings import Settings
from tests.tiny_encoder import make_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def home_settings(tiny_model: Path, tmp_path: Path) -> Settings:
    """Settings of an empty home whose encoder is made already."""
    (tmp_path / "onnx").symlink_to(tiny_model.parent / "onnx")
    return Settings(home=tmp_path, model=str(tiny_model), encoder_threads=1, log_level="warning")


@pytest.fixture(scope="session")
def documents() -> list[dict[str, Any]]:
    """Forty documents about things and what one does with them."""
    verbs = ("print", "insert", "filter", "rotate", "record", "export", "align", "merge")
    things = ("envelope", "chart", "table", "picture", "macro")
    return [
        {"id": f"{verb}-{thing}", "title": f"{verb} {thing}", "text": f"How to {verb} one {thing} or several of them."}
        for verb in verbs
        for thing in things
    ]


@pytest.fixture(scope="session")
def queries(documents: list[dict[str, Any]]) -> list[str]:
    return [document["title"] for document in documents]


@pytest.fixture(scope="module")
def service(
    tiny_model: Path, documents: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running service that has the documents."""
    home = tmp_path_factory.mktemp("service")
    (home / "onnx").symlink_to(tiny_model.parent / "onnx")
    with Server(Settings(home=home, model=str(tiny_model), encoder_threads=1, log_level="warning")) as running:
        index(running.remote, documents)
        yield running
