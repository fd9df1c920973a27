"""Snapshots on the disk of one machine: built aside, shared by every process, replaced by newer ones.

Folders by encoder and collection hold one folder a snapshot, named by the last change it knows.
A snapshot appears once it is whole. Each process changes its own copy of the lexical index. The copy is made of
hard links, so that processes share the bytes but not the changes.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal
from uuid import uuid4

from foundation.clock import monotonic_s
from foundation.contracts import Document
from foundation.disk.claims import Claim
from foundation.disk.files import write_whole
from foundation.errors import ArtifactDamaged, Conflict
from foundation.telemetry.logs import get_log
from serving.encode.embedder import StoredEmbedder
from serving.index.corpus import Corpus
from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import BULK_BYTES, LexicalIndex
from serving.index.lexical.storage import share_index
from serving.index.passages import words_for
from serving.index.snapshot import LEXICAL, IndexSnapshot

ReadChanges = Callable[[int, int], list[Document]]
"""Returns at most so many (second argument) changes after a change number (first), in their order."""

_CHANGES_AT_ONCE = 256
_KEPT = 2
_log = get_log("snapshots")


@dataclass(frozen=True, slots=True)
class Build:
    """How the build of a snapshot stands.

    Attributes:
        state: "none" before the first, "interrupted" when its process ended before it did.
        done: Changes of the catalog taken in.
        total: Changes there were at the last report.
        seconds: How long it took until then.
    """

    state: Literal["none", "reading", "sealing", "finished", "interrupted"] = "none"
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    def tell(self) -> str:
        """Return how far it is, for people."""
        rate = f", {self.done / self.seconds:.0f} a second" if self.done and self.seconds else ""
        return f"the index is {self.state}, {self.done} of {self.total} changes{rate}"


class Copies:
    """The folder in which a process keeps its copies, made with the first of them."""

    def __init__(self, root: Path, replica: str) -> None:
        self._root = root
        self._replica = replica

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._claim.folder

    def clear(self) -> None:
        """Remove every copy."""
        claimed = self.__dict__.pop("_claim", None)
        if claimed is not None:
            claimed.release()

    @cached_property
    def _claim(self) -> Claim:
        return Claim(self._root, self._replica)


class SnapshotStore:
    """The snapshots that one encoder's process may open and build.

    Args:
        embedder: Makes the vectors; those of other encoders do not mix.
        analysis: How words are read; indexes of another analysis do not mix either.
        replica: Name of this process; see `foundation.disk.claims.name_process`.
        form: Digest of the encoder's form, "" for the encoder of the settings.
        copies: Where this process's copies lie; found by the name of the process without it.
    """

    def __init__(
        self,
        home: Path,
        embedder: StoredEmbedder,
        analysis: Analysis,
        replica: str,
        *,
        form: str = "",
        copies: Copies | None = None,
    ) -> None:
        self.embedder = embedder
        self.form = form
        self._home = home
        self._analysis = analysis
        self._root = home / "snapshots" / f"{embedder.encoder.digest}-{analysis.language}"
        self._replica = replica
        self._copies = copies or Copies(home / "replicas", replica)

    def under(self, embedder: StoredEmbedder, form: str) -> SnapshotStore:
        """Return the snapshots of another encoder, for the same process.

        Args:
            form: Digest of that encoder's form.
        """
        return SnapshotStore(self._home, embedder, self._analysis, self._replica, form=form, copies=self._copies)

    def newest(self, collection: str) -> IndexSnapshot | None:
        """Return the newest whole snapshot of a collection; what cannot be read is logged and passed over."""
        for folder in self._folders(collection):
            try:
                return IndexSnapshot.open(folder)
            except ArtifactDamaged as problem:
                _log.error("snapshot_unreadable", collection=collection, folder=str(folder), problem=problem.detail)
        return None

    def open(self, collection: str) -> Corpus:
        """Return a corpus over the newest snapshot, empty without one; changes since are not in it."""
        snapshot = self.newest(collection)
        if snapshot is None:
            return self._make_corpus(None, LexicalIndex(None, self._analysis))
        copy = self._copy_of(collection, snapshot)
        shutil.rmtree(copy, ignore_errors=True)
        share_index(snapshot.folder / LEXICAL, copy)
        corpus = self._make_corpus(snapshot, LexicalIndex(copy, self._analysis))
        corpus.calibrate(self.embedder)
        return corpus

    def close(self, collection: str, corpus: Corpus) -> None:
        """Remove this process's copy of the snapshot behind a corpus that is no longer used."""
        if corpus.snapshot:
            shutil.rmtree(self._copy_of(collection, corpus.snapshot), ignore_errors=True)

    def clear(self) -> None:
        """Remove every copy of this process, those under other encoders too."""
        self._copies.clear()

    def build(self, collection: str, read: ReadChanges, latest: Callable[[], int]) -> IndexSnapshot:
        """Build a snapshot of everything the catalog holds; blocks, for hours when texts are new.

        Texts that were embedded before are not embedded again, so an interrupted build goes on where it was.
        Changes made meanwhile are taken in until none is left.

        Args:
            latest: Returns the catalog's last change number.

        Raises:
            Conflict: Another process is building this collection.
        """
        with self._alone(collection):
            for left in self._home_of(collection).glob("aside*"):
                shutil.rmtree(left, ignore_errors=True)
            aside = self._home_of(collection) / f"aside-{uuid4().hex}"
            aside.mkdir()
            began_s = monotonic_s()
            corpus = self._make_corpus(None, LexicalIndex(aside / LEXICAL, self._analysis, BULK_BYTES))
            while changes := read(corpus.change, _CHANGES_AT_ONCE):
                corpus.apply(changes, self.embedder)
                self._report(collection, Build("reading", corpus.change, latest(), monotonic_s() - began_s))
            self._report(collection, Build("sealing", corpus.change, latest(), monotonic_s() - began_s))
            corpus.lexical.compact()
            corpus.lexical.close()
            corpus.seal(aside)
            built = self._publish(collection, aside)
            self._report(collection, Build("finished", corpus.change, latest(), monotonic_s() - began_s))
            return built

    def state(self, collection: str) -> Build:
        """Return how the last build of a collection stands. Never blocks."""
        report = self._home_of(collection) / "build.json"
        if not report.exists():
            return Build()
        build = Build(**json.loads(report.read_text()))
        if build.state != "finished" and not self.is_building(collection):
            return replace(build, state="interrupted")
        return build

    def is_building(self, collection: str) -> bool:
        """Return whether any process is building a collection."""
        try:
            with self._alone(collection):
                return False
        except Conflict:
            return True

    def _make_corpus(self, snapshot: IndexSnapshot | None, lexical: LexicalIndex) -> Corpus:
        encoder = self.embedder.encoder
        return Corpus(encoder.dimension, snapshot, lexical, passage_words=words_for(encoder.max_tokens))

    def _publish(self, collection: str, aside: Path) -> IndexSnapshot:
        built = IndexSnapshot.open(aside)
        target = self._home_of(collection) / f"{built.change:012d}-{built.digest[:12]}"
        shutil.rmtree(target, ignore_errors=True)  # an equal one
        aside.rename(target)
        for old in self._folders(collection)[_KEPT:]:
            shutil.rmtree(old)
        return IndexSnapshot.open(target)

    def _folders(self, collection: str) -> list[Path]:
        """Return the folders of a collection's snapshots, newest first."""
        home = self._root / collection
        if not home.exists():
            return []
        return sorted((path for path in home.iterdir() if path.name[0].isdigit()), reverse=True)

    def _home_of(self, collection: str) -> Path:
        home = self._root / collection
        home.mkdir(parents=True, exist_ok=True)
        return home

    def _report(self, collection: str, build: Build) -> None:
        write_whole(self._home_of(collection) / "build.json", json.dumps(asdict(build)).encode())

    def _copy_of(self, collection: str, snapshot: IndexSnapshot) -> Path:
        return self._copies.folder / f"{collection}-{self.embedder.encoder.digest}-{snapshot.id}"

    @contextmanager
    def _alone(self, collection: str) -> Iterator[None]:
        with (self._home_of(collection) / "lock").open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise Conflict(f"a snapshot of {collection!r} is being built already") from problem
            yield
