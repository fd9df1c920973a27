"""What these tests share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ab_testing.api import Assignments
from clickloop.container import Container
from foundation.contracts import Document, Manifest
from foundation.registry.registry import Version
from serving.live.loader import Loader
from serving.ranking.adaptation import Adapter
from tests.tiny_encoder import DIMENSION

DOCUMENTS = [Document(word, word, f"all about the {word}") for word in ("kettle", "ladder", "marble")]


@pytest.fixture
def container(parts: Container) -> Container:
    parts.catalog.upsert("default", DOCUMENTS)
    return parts


@pytest.fixture
def loader(container: Container) -> Loader:
    """A loader that follows only when told to."""
    loader = container.make_loader(Assignments(container.engine, container.clock))
    loader.follow_content()
    loader.follow_versions()
    return loader


def register(container: Container, manifest: Manifest) -> str:
    container.hotswap.install("default", container.baseline)
    now = container.clock.now()
    container.registry.register(Version("default", manifest.id, "", "approved", "", manifest, {}, {}, created_at=now))
    return manifest.id


def linear(container: Container, weight: float = 1.0) -> Manifest:
    return replace(container.baseline, fusion="linear", weights={"bm25": weight, "dense": weight})


def served_ids(loader: Loader) -> set[str]:
    return set(loader.collection("default").corpus.ids())


def restore(container: Container, digest: str, content: bytes) -> None:
    (container.settings.home / "artifacts" / digest).write_bytes(content)


def adapted(container: Container) -> tuple[Manifest, str, bytes]:
    """Return a version that needs an artifact, the artifact's digest, and its bytes."""
    content = Adapter(np.zeros((DIMENSION, DIMENSION), np.float32), np.zeros(DIMENSION, np.float32)).to_bytes()
    digest = container.registry.artifacts.put(content)
    return replace(linear(container), adapter=digest), digest, content


def break_manifest(container: Container, fault: str) -> Manifest:
    if fault == "missing artifact":
        return replace(container.baseline, adapter="0" * 64)
    if fault == "damaged artifact":
        return replace(container.baseline, residuals=container.registry.artifacts.put(b"no arrays"))
    if fault == "other encoder":
        return replace(container.baseline, encoder="another-int8")
    nan = Adapter(np.full((DIMENSION, DIMENSION), np.nan, np.float32), np.zeros(DIMENSION, np.float32))
    return replace(
        linear(container), adapter=container.registry.artifacts.put(nan.to_bytes()), weights={"adapted": 1.0}
    )
