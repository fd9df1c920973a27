"""Homes for real server processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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
