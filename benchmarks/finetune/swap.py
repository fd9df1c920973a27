"""Promotes a version with an encoder of its own and rolls it back, under clients that search all the time."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from benchmarks.harness.fixtures import index, register
from benchmarks.harness.server import Server
from benchmarks.swap import Answered, Crowd
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import NotReady
from foundation.settings import Settings
from retrainer.learners.encoder.protocol import LearnedEncoder
from simulator.collection import JudgedCollection

_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Swapped:
    """What the clients saw.

    Attributes:
        forward_s: From the promotion to the first look at which the new encoder serves: embedding, index and swap.
        back_s: The same of the rollback.
    """

    answers: list[Answered]
    forward_s: float
    back_s: float


def swap_encoder(
    settings: Settings, collection: JudgedCollection, learned: LearnedEncoder, *, clients: int, seed: int
) -> Swapped:
    """Return what clients saw of a promotion and a rollback."""
    container = Container(settings)
    form = container.registry.artifacts.put(learned.form)
    with Server(settings) as server:
        index(server.remote, collection.documents)
        manifest = replace(container.baseline, encoder=learned.name, encoder_form=form)
        version = register(container, manifest, "fine-tuned by a bench")
        crowd = Crowd(server.url, list(collection.queries.values()), seed, clients)
        try:
            forward_s = _move(server, f"/v1/versions/{version}/promote", version)
            back_s = _move(server, "/v1/versions/rollback", container.baseline.id)
        finally:
            answers = crowd.stop()
    container.engine.dispose()
    return Swapped(answers, forward_s, back_s)


def _move(server: Server, path: str, version: str) -> float:
    began_s = monotonic_s()
    server.remote.post(path, {"reason": "bench"})
    while server.remote.get("/readyz")["collections"][DEFAULT_COLLECTION]["version"] != version:
        if monotonic_s() - began_s > _TIMEOUT_S:
            raise NotReady(f"{version} does not serve after {_TIMEOUT_S:.0f} s: {server.remote.get('/readyz')}")
        time.sleep(0.1)
    return monotonic_s() - began_s
