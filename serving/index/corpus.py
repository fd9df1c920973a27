"""The searchable form of a collection: its documents with their lexical and dense indexes."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from foundation.arrays import Flags, Floats, Ints
from foundation.contracts import Document
from serving.encode.projection import Codes
from serving.encode.tokens import TokenTable
from serving.index.columns import Columns, key_of
from serving.index.dense.index import DenseIndex
from serving.index.document_store import DocumentStore
from serving.index.fields.dotted import keywords_of
from serving.index.fields.filters import Condition
from serving.index.fields.table import FieldTable
from serving.index.fields.values import FieldType
from serving.index.fingerprint import fingerprint
from serving.index.lexical.clauses import NO_WEIGHTS
from serving.index.lexical.index import LexicalIndex
from serving.index.noise import MIN_PASSAGES, SILENCE, Noise, Probes, probes
from serving.index.passages import PASSAGE_WORDS, cut_passages, split_passages
from serving.index.snapshot import FIELDS, IndexSnapshot


class Embedder(Protocol):
    """Makes vectors of texts; those made before are read from disk."""

    def embed(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (texts, dimension)."""

    def embed_tokens(self, texts: list[str]) -> list[Codes] | None:
        """Return compressed token vectors of each text, see `serving.encode.tokens`; None where there are none."""


class Corpus:
    """Documents that can be searched while others are added, changed and deleted.

    A change takes a new row and retires the old one, so a running search keeps what it found. The words of a
    change can be searched as soon as it is indexed, its meaning after it is embedded. One thread indexes and
    embeds; any number search.

    Args:
        snapshot: What was sealed before, None to begin empty.
        lexical: Index of the words of that snapshot, free to be changed; a new one when None.
        passage_words: How many words the encoder's passages have.
    """

    def __init__(
        self,
        dimension: int,
        snapshot: IndexSnapshot | None = None,
        lexical: LexicalIndex | None = None,
        *,
        passage_words: int = PASSAGE_WORDS,
    ) -> None:
        folder = snapshot.folder if snapshot else None
        self.snapshot = snapshot
        self.passage_words = passage_words
        self.lexical = LexicalIndex() if lexical is None else lexical
        self.dense = DenseIndex(dimension, folder)
        self.fields = FieldTable.open(folder / FIELDS) if folder else FieldTable()
        self.lexical.weigh(self.fields.weights)
        self.tokens = TokenTable(folder)
        self._store = DocumentStore(folder)
        self.columns = Columns.load(snapshot.folder) if snapshot else Columns.empty()
        self.change = snapshot.change if snapshot else 0
        self._names = snapshot.names() if snapshot else []
        alive = self.columns.alive
        self._rows = {name: row for row, name in enumerate(self._names) if alive[row]}
        self._probes: Probes | None = None
        self._pending = np.flatnonzero(alive & (self.columns.counts == 0)).tolist()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of searchable documents."""
        return len(self._rows)

    @property
    def size(self) -> int:
        """The number of rows, retired ones included."""
        return len(self._names)

    @property
    def delta(self) -> int:
        """The number of rows that came since the snapshot was sealed."""
        return self.size - (self.snapshot.rows if self.snapshot else 0)

    @property
    def waiting(self) -> int:
        """The number of documents whose meaning is not searchable yet."""
        return len(self._pending)

    def row(self, document_id: str) -> int | None:
        """Return the row of a document, None when it is not searchable."""
        return self._rows.get(document_id)

    def name(self, row: int) -> str:
        """Return the id of the document at a row."""
        return self._names[row]

    def document(self, row: int) -> Document:
        """Return the document at a row."""
        return self._store.get(row)

    def passages(self, row: int) -> list[str]:
        """Return the passages of the text of the document at a row, in their order."""
        return cut_passages(self.document(row).text, self.passage_words)

    def sample(self, most: int) -> list[Document]:
        """Return at most so many searchable documents, evenly spread over their rows."""
        rows = list(self._rows.values())
        return [self.document(row) for row in rows[:: -(-len(rows) // most) or 1]]

    def ids(self) -> list[str]:
        """Return the ids of all searchable documents."""
        return list(self._rows)

    def means(self, rows: npt.ArrayLike) -> Floats:
        """Return the unit mean of each document's passage vectors, float32 of shape (len(rows), dimension).

        Zero for documents that are not embedded yet.
        """
        wanted = np.asarray(rows, dtype=np.int64)
        counts = self.columns.counts[wanted]
        totals = np.zeros((len(wanted), self.dense.dimension), np.float32)
        embedded = np.flatnonzero(counts)
        if len(embedded):
            vectors, starts = self.passage_vectors(wanted[embedded])
            totals[embedded] = np.add.reduceat(vectors, starts, axis=0)
        means: Floats = totals / np.maximum(np.linalg.norm(totals, axis=1, keepdims=True), 1e-9)
        return means

    def passage_vectors(self, rows: Ints) -> tuple[Floats, Ints]:
        """Return the passage vectors of embedded documents, (passages, dimension), and where each document's begin."""
        passages, starts = self.columns.passages(rows)
        return self.dense.vectors(passages), starts

    def compare(self, rows: Ints, queries: Floats) -> tuple[Floats, Floats]:
        """Return how near embedded documents are to queries.

        Args:
            rows: Of embedded documents, shape (n,).
            queries: Unit vectors as columns, float32 of shape (dimension, m).

        Returns:
            Cosines of the best passage, and of the mean of all; float32 of shape (n, m) each.
        """
        passages, starts = self.columns.passages(rows)
        cosines = self.dense.similarities(passages, queries)
        best: Floats = np.maximum.reduceat(cosines, starts, axis=0)
        lengths = np.maximum(self.columns.lengths[rows], np.float32(1e-9))
        mean: Floats = (np.add.reduceat(cosines, starts, axis=0) / lengths[:, None]).astype(np.float32)
        return best, mean

    def nearness(self, rows: list[int], vector: Floats) -> list[list[float]]:
        """Return the cosine of each passage of each document with a unit vector; none of those not embedded yet."""
        wanted = np.asarray(rows, dtype=np.int64)
        counts = self.columns.counts[wanted]
        passages, _ = self.columns.passages(wanted[counts > 0])
        ends = np.cumsum(counts)
        cosines = self.dense.similarities(passages, vector[:, None])[:, 0].tolist()
        return [cosines[end - count : end] for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]

    def apply(self, changes: list[Document], embedder: Embedder) -> None:
        """Make changes of the catalog searchable by word and by meaning; see `index` and `embed`."""
        self.index(changes)
        self.embed(embedder, self.waiting)

    def index(self, changes: list[Document]) -> None:
        """Make changes of the catalog searchable by word, all at once.

        When their words cannot be written, as on a full disk, nothing changes, and the call can be repeated.

        Args:
            changes: In order of their change numbers; deletions have `deleted` set.
        """
        if not changes:
            return
        latest = {change.id: change for change in changes}
        with self._lock:
            rows = self.size + len(latest)
            if rows > len(self.columns.starts):  # a search that finds a row by its words too early sees it as not alive
                self.columns = self.columns.grow(max(1024, rows * 3 // 2))
            self._write_words(latest.values())
            retired = [row for one in latest.values() if (row := self._retire(one.id)) is not None]
            for document in latest.values():
                if not document.deleted:
                    self._add(document)
            self.change = max(self.change, changes[-1].change)
        if self._probes is not None and retired:
            self._probes.remove(self.columns.passages(np.array(retired))[0])

    def embed(self, embedder: Embedder, limit: int) -> int:
        """Make at most `limit` indexed documents searchable by meaning, and return how many still wait."""
        rows = [row for row in self._pending[:limit] if self.columns.alive[row]]
        documents = map(self.document, rows)
        passages = [split_passages(document.title, document.text, self.passage_words) for document in documents]
        texts = [passage for split in passages for passage in split]
        tokens = embedder.embed_tokens(texts) if texts else None
        vectors = embedder.embed(texts) if texts else np.zeros((0, self.dense.dimension), np.float32)
        with self._lock:
            end = 0
            embedded: list[int] = []
            for row, split in zip(rows, passages, strict=True):
                start, end = end, end + len(split)
                if self.columns.alive[row]:
                    numbers = self.dense.add([row] * len(split), vectors[start:end])
                    self.columns.starts[row], self.columns.counts[row] = numbers.start, len(numbers)
                    embedded.extend(numbers)
                    self.columns.lengths[row] = np.linalg.norm(vectors[start:end].sum(axis=0))
                    if tokens is not None:
                        self.tokens.add(row, np.concatenate(tokens[start:end]))
            del self._pending[:limit]
        if self._probes is None:
            self.calibrate(embedder)
        elif embedded:
            self._probes.add(np.array(embedded))
        return len(self._pending)

    def calibrate(self, embedder: Embedder) -> None:
        """Measure how near to the corpus texts come that mean nothing; see `serving.index.noise`."""
        if self.dense.living >= MIN_PASSAGES:
            self._probes = Probes(self.dense, embedder.embed(probes()), self.nearest)

    @property
    def noise(self) -> Noise:
        """How near to the corpus texts come that mean nothing, as of now."""
        return SILENCE if self._probes is None else self._probes.noise

    def nearest(self, vector: Floats) -> float:
        """Return the cosine of a unit vector with the passage nearest to it, -1 where there is none."""
        rows = np.array(self.dense.search(vector, 1), np.int64)
        if not len(rows):
            return -1.0
        best, _ = self.compare(rows, vector[:, None])
        return float(best.max())

    def tombstone(self, document_ids: list[str]) -> None:
        """Take documents out of every later answer at once, before their deletion is indexed."""
        with self._lock:
            for name in document_ids:
                row = self._rows.get(name)
                if row is not None:
                    self.columns.alive[row] = False

    def matching(self, condition: Condition) -> Flags:
        """Return which rows satisfy a condition, bool by row; it was parsed against the types of `fields`."""
        return self.fields.mask(condition, self.fields.rows, self._mark) & self.present()

    def present(self) -> Flags:
        """Return which rows are the present form of a document, bool by row; the caller may change it."""
        return self.columns.alive[: self.fields.rows].copy()

    def declare(self, declared: Mapping[str, FieldType], weights: Mapping[str, float] = NO_WEIGHTS) -> None:
        """Give fields declared types; reads every document again when that changes what was inferred.

        Args:
            weights: What a word counts in the fields that are searched, by name; see `LexicalIndex.weigh`.
        """
        self.lexical.weigh(weights)
        self.fields.weights = dict(weights)
        if self.fields.declare(declared):
            return
        table = FieldTable(declared)
        table.weights = dict(weights)
        for row in range(self.size):
            table.add(row, self.document(row).fields)
        self.fields = table

    def held(self) -> list[tuple[str, int]]:
        """Return the id and the change number of every searchable document."""
        return [(name, int(self.columns.changes[row])) for name, row in list(self._rows.items())]

    def seal(self, folder: Path) -> None:
        """Write everything but the words into `folder`; see `serving.index.snapshot`."""
        with self._lock:
            self._store.save(folder)
            (folder / FIELDS).mkdir()
            self.fields.save(folder / FIELDS)
            self.dense.save(folder)
            self.tokens.save(folder, self.size)
            IndexSnapshot.write(folder, self.change, self._names, self.columns)

    def _mark(self, document_ids: Collection[str], rows: int) -> Flags:
        """Return which of the rows below `rows` are documents with one of some ids, shape (rows,)."""
        flags = np.zeros(rows, np.bool_)
        named = [row for name in document_ids if (row := self._rows.get(name)) is not None and row < rows]
        flags[named] = True
        return flags

    def _write_words(self, documents: Iterable[Document]) -> None:
        """Commit the words of documents under the rows that `_add` will give them, or none of them."""
        row = self.size
        try:
            for document in documents:
                if document.id in self._rows:
                    self.lexical.remove(self._rows[document.id])
                if not document.deleted:
                    self.lexical.add(row, document.title, document.text, keywords_of(document.fields))
                    row += 1
            self.lexical.commit()
        except Exception:
            self.lexical.close()
            raise

    def _add(self, document: Document) -> None:
        row = self._store.add(document)
        self.columns.titles[row] = fingerprint(document.title)
        self.columns.changes[row] = document.change
        self.columns.keys[row] = key_of(document.id)
        self.fields.add(row, document.fields)
        self._pending.append(row)  # before its name: a reader that sees the document knows that it waits
        self._names.append(document.id)
        self._rows[document.id] = row
        self.columns.alive[row] = True

    def _retire(self, document_id: str) -> int | None:
        """Take a document out, and return its row, None where it is not there."""
        row = self._rows.pop(document_id, None)
        if row is not None:
            self.columns.alive[row] = False
            start, count = int(self.columns.starts[row]), int(self.columns.counts[row])
            self.dense.remove(range(start, start + count))
        return row
