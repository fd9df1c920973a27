"""A home whose people have clicked, and an encoder so small that it is fine-tuned while one waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer

from benchmarks.harness.fixtures import index
from benchmarks.harness.server import Server
from clickloop.container import Container
from collector.join.batch import fold_batch
from foundation.contracts import DEFAULT_COLLECTION, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.settings import Settings
from retrainer.learners.steps import silence
from serving.encode.form import packaged_model
from simulator.collection import JudgedCollection

_LAYERS = 1
"""Of the encoder's six: the same code, in a sixth of the time."""

_CHARACTERS = 200
_PEOPLE = 3


@silence()
def make_shallow(folder: Path) -> Path:
    """Write the first layers of the packaged encoder to a folder, and return it."""
    whole: Any = SentenceTransformer(str(packaged_model()), device="cpu", local_files_only=True)
    network = whole[0].auto_model
    network.encoder.layer = network.encoder.layer[:_LAYERS]
    network.config.num_hidden_layers = _LAYERS
    whole.save_pretrained(str(folder), create_model_card=False)
    return folder


def shorten(collection: JudgedCollection) -> JudgedCollection:
    """Return a collection with the beginnings of its texts."""
    documents = [one | {"text": one["text"][:_CHARACTERS]} for one in collection.documents]
    return replace(collection, documents=documents)


def fill(settings: Settings, collection: JudgedCollection) -> None:
    """Index documents in an empty home, and let people click what answers them."""
    settings.home.mkdir()
    with Server(settings) as server:
        index(server.remote, collection.documents)
        server.remote.post("/v1/search", {"query": "the first version", "log": False})
    container = Container(settings)
    with transaction(container.engine) as connection:
        fold_batch(connection, _clicks(container, collection), settings)
    container.log.close()
    container.engine.dispose()


def _clicks(container: Container, collection: JudgedCollection) -> list[Impression | FeedbackEvent]:
    """Return lists of two documents, the second of which answers and is clicked."""
    at = container.clock.now() - timedelta(hours=1)
    names = [one["id"] for one in collection.documents]
    records: list[Impression | FeedbackEvent] = []
    for number, (query, grades) in enumerate(collection.split("train").items()):
        good = next(iter(grades))
        other = next(name for name in names[number % len(names) :] + names if name not in grades)
        shown = (ShownResult(other, 1, 2.0), ShownResult(good, 2, 1.0))
        for person in range(_PEOPLE):
            name, unit = f"{query}-{person}", f"person-{number}-{person}"
            text = collection.queries[query]
            records.append(Impression(DEFAULT_COLLECTION, name, text, unit, "v", shown, at))
            records.append(FeedbackEvent(DEFAULT_COLLECTION, f"{name}/c", "click", name, good, unit, 0.0, at, at))
    return records
