"""What benches search: documents with judged queries, and versions that were not learned."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clickloop.container import CONSUMER, Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION, Manifest
from foundation.errors import NotReady
from foundation.http_client import Refused, ServiceClient
from foundation.ids import canonical_json
from foundation.registry.registry import Version
from foundation.settings import Settings
from retrainer.learners.priors import PRIOR_WEIGHTS
from serving.ranking.adaptation import Adapter
from simulator.collection import JudgedCollection, read_beir
from simulator.docstrings import docstrings, package_folders, parse_docstrings

QUICK_DOCUMENTS = 300
_INDEX_TIMEOUT_S = 600.0
_DRAIN_TIMEOUT_S = 60.0
_QUIET_LOOKS = 5
_AT_ONCE = 500
_SCORE_TOLERANCE = 1e-3  # scores in answers are rounded


def get_collection(folder: Path | None, quick: bool) -> JudgedCollection:
    """Return the judged collection of a BEIR folder, or installed packages' docstrings without one.

    Quick runs without a folder take 300 docstrings of one package.
    """
    if folder is not None:
        return read_beir(folder)
    if quick:
        return parse_docstrings(package_folders(("numpy",)), QUICK_DOCUMENTS)
    return docstrings(Settings().home.resolve() / "corpus")


def index(remote: ServiceClient, documents: list[dict[str, object]]) -> None:
    """Send documents and wait until all are found by their words and by their meaning.

    Raises:
        NotReady: They are not within ten minutes.
    """
    for start in range(0, len(documents), _AT_ONCE):
        remote.put_lines("/v1/documents", "\n".join(map(canonical_json, documents[start : start + _AT_ONCE])))
    deadline = monotonic_s() + _INDEX_TIMEOUT_S
    while monotonic_s() < deadline:
        state = remote.get("/readyz")["collections"].get(remote.collection or DEFAULT_COLLECTION, {})
        if state.get("documents") == len(documents) and not state["behind"] + state["waiting"] and state["version"]:
            return
        time.sleep(0.1)
    raise NotReady(f"{len(documents)} documents are not searchable after {_INDEX_TIMEOUT_S:.0f} s")


def build_index(remote: ServiceClient) -> None:
    """Build an index and wait until it is whole; one that is being built already is waited for.

    Raises:
        NotReady: It is not whole within ten minutes.
    """
    try:
        remote.post("/v1/index/builds", {})
    except Refused as refused:
        if refused.code not in (404, 409):  # there is nothing to build, or it is being built
            raise
    deadline = monotonic_s() + _INDEX_TIMEOUT_S
    while (build := remote.get("/v1/index")["build"])["state"] in ("reading", "sealing"):
        if monotonic_s() > deadline:
            raise NotReady(f"the index is not built after {_INDEX_TIMEOUT_S:.0f} s: {build}")
        time.sleep(0.1)


def add_version(container: Container, seed: int) -> str:
    """Register an approved version that moves queries a little at random, and return its id.

    It has fusion weights and an adapter of its own, so that its answers can be told from others'.
    """
    random = np.random.default_rng(seed)
    size = container.encoder.dimension
    adapter = Adapter((random.normal(size=(size, size)) * 0.01).astype(np.float32), np.zeros(size, np.float32))
    weights = {name: round(weight * float(random.uniform(0.8, 1.2)), 6) for name, weight in PRIOR_WEIGHTS.items()}
    artifact = container.registry.artifacts.put(adapter.to_bytes())
    return register(
        container, replace(container.baseline, adapter=artifact, fusion="linear", weights=weights), "made by a bench"
    )


def register(container: Container, manifest: Manifest, reason: str) -> str:
    """Register a version as approved, whatever any gate says, and return its id."""
    container.hotswap.install(DEFAULT_COLLECTION, container.baseline)
    container.registry.register(
        Version(
            collection=DEFAULT_COLLECTION,
            id=manifest.id,
            parent=container.baseline.id,
            status="approved",
            reason=reason,
            manifest=manifest,
            lineage={},
            metrics={},
            created_at=container.clock.now(),
        )
    )
    return manifest.id


def is_whole(answer: dict[str, Any], manifests: Mapping[str, Manifest]) -> bool:
    """Return whether an explained answer's scores follow from the weights of the version that it names."""
    manifest = manifests.get(answer["version"])
    return manifest is not None and bool(answer["hits"]) and all(_follows(hit, manifest) for hit in answer["hits"])


def _follows(hit: dict[str, Any], manifest: Manifest) -> bool:
    scores = hit["scores"]
    expected = sum(weight * scores[name] for name, weight in manifest.weights.items())
    expected += scores["evidence"] + scores["late"]
    return math.isclose(hit["score"], expected, abs_tol=_SCORE_TOLERANCE)


def drain(container: Container) -> None:
    """Wait until the collector has folded every record of the log.

    Raises:
        NotReady: It has not within a minute.
    """
    subscription = container.log.subscribe(CONSUMER)
    deadline = monotonic_s() + _DRAIN_TIMEOUT_S
    quiet = 0
    while quiet < _QUIET_LOOKS:  # a broker may be late to tell what it has
        waiting = subscription.lag()
        quiet = 0 if waiting else quiet + 1
        if monotonic_s() > deadline:
            raise NotReady(f"{waiting} records still wait to be folded after {_DRAIN_TIMEOUT_S:.0f} s")
        time.sleep(0.2)
