"""An index is sealed aside, opened without embedding anything, and swapped under running searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ab_testing.api import Assignments
from clickloop.container import Container
from foundation.contracts import Document
from foundation.errors import Conflict
from serving.catalog.changes import read_changes
from serving.encode.query import Query
from serving.index.lexical.analysis import PLAIN
from serving.index.snapshot import digest_content
from serving.index.snapshot_store import SnapshotStore
from serving.live.loader import Loader
from tests.namespaces import need_namespaces, start_contained

WORDS = ("kettle", "ladder", "marble", "needle", "orange", "pillow")
DOCUMENTS = [Document(word, word, f"All about the {word}. It is useful.", fields={"size": len(word)}) for word in WORDS]


@pytest.fixture
def container(parts: Container) -> Container:
    parts.catalog.upsert("default", DOCUMENTS)
    return parts


def follow(container: Container) -> Loader:
    loader = container.make_loader(Assignments(container.engine, container.clock))
    loader.follow_content()
    loader.follow_versions()
    return loader


def found(loader: Loader, text: str) -> list[tuple[str, float]]:
    snapshot = loader.collection("default").snapshot
    query = Query(text, text, loader.encoder.encode_query(text))
    hits = snapshot.rankers[snapshot.champion].search(query, 10).hits
    return [(hit.document_id, round(hit.score, 2)) for hit in hits]


def refuse(texts: list[str]) -> Any:
    raise AssertionError(f"{len(texts)} texts were embedded again")


def test_what_a_snapshot_answers_is_what_memory_answered(container: Container) -> None:
    before = found(follow(container), "the useful kettle")
    container.build("default")

    loader = follow(container)

    assert loader.collection("default").corpus.snapshot is not None
    assert [name for name, _ in found(loader, "the useful kettle")] == [name for name, _ in before]
    assert found(loader, "the useful kettle")[0] == before[0]
    assert loader.collection("default").corpus.document(0) == container.catalog.get("default", "kettle")


def test_a_start_from_a_snapshot_embeds_nothing(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    container.build("default")
    monkeypatch.setattr(container.encoder, "encode", refuse)
    container.content.follow(read_changes(container.engine), 0)

    assert len(container.content.served["default"].corpus) == len(DOCUMENTS)


def test_a_newer_snapshot_is_swapped_in_with_every_version_and_later_changes(container: Container) -> None:
    loader = follow(container)
    champion = loader.collection("default").champion
    built = container.build("default")
    container.catalog.upsert("default", [Document("quiver", "quiver", "for arrows")])
    container.catalog.delete("default", ["kettle"])

    loader.follow_content()

    served = loader.collection("default")
    assert served.corpus.snapshot is not None
    assert served.corpus.snapshot.id == built.id
    assert served.champion == champion
    assert set(served.corpus.ids()) == {*WORDS[1:], "quiver"}
    assert found(loader, "quiver")[0][0] == "quiver"
    assert "kettle" not in [name for name, _ in found(loader, "kettle")]


def test_two_processes_share_a_snapshot_and_not_their_changes(container: Container) -> None:
    container.build("default")
    one = container.snapshots.open("default")
    another = SnapshotStore(container.settings.home, container.embedder, PLAIN, "another")
    other = another.open("default")

    one.index([Document("kettle", "", "", change=one.change + 1, deleted=True)])

    assert one.lexical.search("kettle", 5) == {}
    assert other.lexical.search("kettle", 5) != {}
    another.clear()


def test_the_digest_of_a_snapshot_is_that_of_the_catalog(container: Container) -> None:
    container.catalog.delete("default", ["marble"])
    container.catalog.upsert("default", [Document("needle", "needle", "changed")])
    built = container.build("default")

    page = container.catalog.list("default", "", 100)

    assert built.digest == digest_content((document.id, document.change) for document in page)
    assert built.documents == len(page)


def test_only_one_process_builds_a_collection(container: Container) -> None:
    with container.snapshots._alone("default"), pytest.raises(Conflict, match="being built"):
        container.build("default")


def test_a_build_that_died_is_told_as_interrupted_and_can_be_made_again(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(texts: list[str]) -> Any:
        raise KeyboardInterrupt

    def one(after: int, _: int) -> list[Document]:
        return container.catalog.changes("default", after, 1)

    asked: list[int] = []

    def encode(texts: list[str]) -> Any:
        asked.append(len(texts))
        return real(texts) if len(asked) < 3 else die(texts)

    real = container.encoder.encode
    monkeypatch.setattr(container.encoder, "encode", encode)
    with pytest.raises(KeyboardInterrupt):
        container.snapshots.build("default", one, lambda: 6)
    assert container.snapshots.state("default").state == "interrupted"
    assert container.snapshots.state("default").done == 2
    assert container.snapshots.newest("default") is None

    monkeypatch.setattr(container.encoder, "encode", real)
    container.build("default")
    assert container.snapshots.state("default").state == "finished"


def test_old_snapshots_make_room(container: Container) -> None:
    names = []
    for number in range(3):
        container.catalog.upsert("default", [Document(f"more {number}", "more", str(number))])
        names.append(container.build("default").id)
    kept = {folder.name for folder in container.snapshots._folders("default")}

    assert kept == set(names[1:])


def test_a_deleted_document_vanishes_before_its_deletion_is_followed(container: Container) -> None:
    loader = follow(container)

    loader.note_change("default", ["kettle"])

    assert "kettle" not in [name for name, _ in found(loader, "kettle")]


def test_words_are_found_before_meaning_is(container: Container) -> None:
    corpus = container.snapshots.open("default")
    corpus.index(container.catalog.changes("default", 0, 100))

    assert corpus.waiting == len(DOCUMENTS)
    assert len(corpus.lexical.search("kettle", 5)) == 1
    assert not np.any(corpus.means([0]))
    corpus.embed(container.embedder, 100)
    assert corpus.waiting == 0
    assert np.any(corpus.means([0]))


REPLICA = """
import pathlib, sys
from foundation.contracts import Document
from clickloop.container import Container
from foundation.settings import Settings
container = Container(Settings())
corpus = container.snapshots.open("default")
print("open", flush=True)
for line in sys.stdin:
    corpus.index([Document(line.strip(), line.strip(), "", change=corpus.change + 1)])
    print(len(corpus.lexical.search(line.strip(), 5)), flush=True)
container.snapshots.clear()
"""


def test_replicas_in_pid_namespaces_of_their_own_share_a_home(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_namespaces()
    container.build("default")
    for name, value in container.settings.to_environment().items():
        monkeypatch.setenv(name, value)
    one = start_contained(REPLICA)
    assert one.stdout is not None
    assert one.stdout.readline() == "open\n"
    other = start_contained(REPLICA)  # begins while the first serves, and with the same process id
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    for replica in (one, other):
        found, _ = replica.communicate("quiver\nrope\n", timeout=20)
        assert found.split() == ["1", "1"]
        assert replica.returncode == 0
    assert list((container.settings.home / "replicas").iterdir()) == []
