"""An import from start to end: reads rows, makes documents, sends them in batches, keeps its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from clickloop.cli.importing.checkpoint import Checkpoint, ImportTally
from clickloop.cli.importing.column_map import ColumnMap
from clickloop.cli.importing.delivery import MAX_BYTES, MAX_DOCUMENTS, OutgoingDocument, RefusedRow
from clickloop.cli.importing.formats.source import Row, Source
from foundation.contracts import Document
from foundation.errors import FieldFault, InvalidRequest
from foundation.ids import canonical_json
from serving.catalog.submission import read_document


class Send(Protocol):
    """Takes a batch; returns how many documents were created, updated and unchanged, and the refusals."""

    def __call__(self, batch: Sequence[OutgoingDocument], /) -> tuple[Counter[str], list[RefusedRow]]:
        """Send it."""


class Import:
    """One run over a source.

    Documents are checked by the service's own rules before they are sent, so that a run that sends
    nothing tells the same faults. A row whose id was there before is refused: the first one counts.

    Args:
        tell: Called for every row that is not taken.
        checkpoint: Where the run keeps its place; without one it begins at the first row.
        strict: End at the first row that is not taken.

    Attributes:
        ids: Those of the source, read so far.
    """

    def __init__(
        self,
        source: Source,
        columns: ColumnMap,
        send: Send,
        tell: Callable[[RefusedRow], None],
        checkpoint: Checkpoint[ImportTally] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self._source = source
        self._columns = columns
        self._send = send
        self._tell = tell
        self._checkpoint = checkpoint
        self._strict = strict
        self._batch: list[OutgoingDocument] = []
        self._batch_bytes = 0
        self.ids: set[str] = set()
        self.tally = checkpoint.load() if checkpoint else ImportTally()

    def run(self, watch: Callable[[], None] = lambda: None) -> ImportTally:
        """Import the rows that no earlier run settled, and return what became of all; `watch` is called after each.

        Raises:
            InvalidRequest: A row was not taken, and the import is strict.
            NotReady: The service stayed away. What was sent is kept, and the next run goes on.
        """
        settled = self.tally.rows
        number = 0
        for number, row in enumerate(self._source, start=1):
            found = self._read(row)
            if number > settled:
                self._take(found, number)
            watch()
        self._flush(number)
        if self._checkpoint:
            self._checkpoint.clear()
        return self.tally

    def _read(self, row: Row) -> OutgoingDocument | RefusedRow:
        if row.fault:
            return RefusedRow(row.place, "", (FieldFault("row", row.fault),))
        written = self._columns.read(row.columns)
        document = read_document(written)
        if isinstance(document, tuple):
            return RefusedRow(row.place, _readable(written.get("id")), document)
        if document.id in self.ids:
            return RefusedRow(row.place, _readable(document.id), (FieldFault("id", "appears a second time"),))
        self.ids.add(document.id)
        try:
            line = _line(document)
            return OutgoingDocument(row.place, document.id, line, len(line.encode()) + 1)
        except UnicodeEncodeError:
            fault = FieldFault("row", "holds what is not UTF-8; name a CSV file's encoding: --encoding latin-1")
            return RefusedRow(row.place, _readable(document.id), (fault,))
        except ValueError as problem:
            return RefusedRow(row.place, document.id, (FieldFault("row", f"is not JSON: {problem}"),))

    def _take(self, found: OutgoingDocument | RefusedRow, number: int) -> None:
        if isinstance(found, RefusedRow):
            self._refuse(found)
            return
        full = len(self._batch) == MAX_DOCUMENTS or self._batch_bytes + found.size_bytes > MAX_BYTES
        if self._batch and full:
            self._flush(number - 1)
        self._batch.append(found)
        self._batch_bytes += found.size_bytes

    def _flush(self, rows: int) -> None:
        """Send what is waiting; then all rows up to number `rows` are settled."""
        if self._batch:
            statuses, refusals = self._send(self._batch)
            self._batch, self._batch_bytes = [], 0
            self.tally = replace(
                self.tally, **{name: getattr(self.tally, name) + count for name, count in statuses.items()}
            )
            for refusal in refusals:
                self._refuse(refusal)
        self.tally.rows = rows
        if self._checkpoint:
            self._checkpoint.save(self.tally)

    def _refuse(self, refusal: RefusedRow) -> None:
        self.tally.refused += 1
        self._tell(refusal)
        if self._strict:
            raise InvalidRequest(f"{refusal}; --strict ends the import here", refusal.faults)


def _line(document: Document) -> str:
    parts = {"id": document.id, "title": document.title, "text": document.text, "url": document.url}
    return canonical_json(parts | {"fields": document.fields})


def _readable(id_: object) -> str:
    return id_.encode("utf-8", "replace").decode() if isinstance(id_, str) else ""
