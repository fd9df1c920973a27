"""A collection whose words cannot be written holds up no other one, leaks nothing, and is taken in once they can."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ab_testing.api import Assignments
from clickloop.container import Container
from foundation.contracts import Document
from foundation.errors import ClickloopError
from serving.index.corpus import Corpus
from serving.index.lexical.index import LexicalIndex
from serving.live import failures
from tests.plain_embedder import PlainEmbedder

DIMENSION = 8
BEFORE = [Document("kettle", "kettle", "boils", change=1), Document("ladder", "ladder", "leans", change=2)]
CHANGES = [
    Document("kettle", "teapot", "brews", change=3),
    Document("ladder", "", "", change=4, deleted=True),
    Document("marble", "marble", "rolls", change=5),
]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond some bytes, which the kernel refuses as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def make_corpus(folder: Path) -> Corpus:
    corpus = Corpus(DIMENSION, lexical=LexicalIndex(folder))
    unit = np.eye(DIMENSION, dtype=np.float32)
    corpus.apply(BEFORE, PlainEmbedder(lambda texts: unit[np.zeros(len(texts), np.int64)]))
    return corpus


def test_changes_that_cannot_be_written_leave_the_corpus_as_it_was(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "words")
    for _ in range(3):
        with full_disk(), pytest.raises(ClickloopError, match="cannot be written"):
            corpus.index(CHANGES)
    assert (corpus.size, corpus.waiting, corpus.change) == (2, 0, 2)
    assert corpus.ids() == ["kettle", "ladder"]
    assert [corpus.columns.alive[row] for row in range(2)] == [True, True]
    assert list(corpus.lexical.search("kettle ladder teapot marble", 9)) != []

    corpus.index(CHANGES)
    assert (corpus.size, corpus.waiting, corpus.change) == (4, 2, 5)
    assert corpus.ids() == ["kettle", "marble"]
    assert set(corpus.lexical.search("kettle ladder teapot marble", 9)) == {2, 3}


@pytest.fixture
def container(parts: Container) -> Container:
    for name in ("first", "second"):
        parts.catalog.upsert(name, BEFORE)
    return parts


def test_a_replica_comes_up_and_follows_the_others_although_one_collection_cannot_be_followed(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.build("first")
    container.catalog.upsert("first", [Document("marble", "marble", "rolls")])
    monkeypatch.setattr(failures, "_FIRST_PAUSE_S", 0.0)
    with monkeypatch.context() as patch, capture_logs() as logs:
        open_corpus = container.snapshots.open

        def refuse() -> None:
            raise ClickloopError("the lexical index cannot be written: No space left on device")

        def open_full(name: str) -> Corpus:
            corpus = open_corpus(name)
            if name == "first":
                patch.setattr(corpus.lexical, "commit", refuse)
            return corpus

        patch.setattr(container.snapshots, "open", open_full)
        loader = container.make_loader(Assignments(container.engine, container.clock))
        for _ in range(4):
            loader.follow()
        assert set(loader.collection("second").corpus.ids()) == {"kettle", "ladder"}
        container.catalog.upsert("second", [Document("needle", "needle", "sews")])
        loader.follow()
        assert "needle" in loader.collection("second").corpus.ids()
        assert loader.problems() == [
            "collection first: what changed in it cannot be taken in, and is tried again: "
            "the lexical index cannot be written: No space left on device"
        ]
    assert len([line for line in logs if line["event"] == "collection_not_followed"]) == 1
    loader.follow()
    assert set(loader.collection("first").corpus.ids()) == {"kettle", "ladder", "marble"}
    assert loader.problems() == []
