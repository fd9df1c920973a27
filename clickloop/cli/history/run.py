"""A replay of a log from start to end: reads, sends in batches, keeps its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clickloop.cli.history.entries import EVENTS, SEARCHES, Outgoing
from clickloop.cli.history.reader import LogReader, ReadRows
from clickloop.cli.importing.checkpoint import Checkpoint
from clickloop.cli.importing.delivery import MAX_BYTES, RefusedRow
from clickloop.cli.importing.formats.source import Row

MAX_ENTRIES = 500
"""Searches and events sent at once; a list with its clicks is not cut, so there may be a few more."""

_KEEP_EVERY = 5000


@dataclass(slots=True)
class LogTally:
    """What became of the rows of a log.

    Attributes:
        rows: Rows whose fate is settled.
        searches: Lists that were accepted, those that were there before too; `events` likewise.
        ignored: Rows that teach nothing, by reason.
    """

    rows: int = 0
    searches: int = 0
    events: int = 0
    refused: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


class LogRun:
    """One run over a log.

    Args:
        send: Takes a batch of searches or of events with its path; returns what was refused.
        tell: Called for every row that is not taken.
        checkpoint: Where the run keeps its place; without one it begins at the first row.
    """

    def __init__(
        self,
        reader: LogReader,
        send: Callable[[str, Sequence[Outgoing]], list[RefusedRow]],
        tell: Callable[[RefusedRow], None],
        checkpoint: Checkpoint[LogTally] | None = None,
    ) -> None:
        self._reader = reader
        self._send = send
        self._tell = tell
        self._checkpoint = checkpoint
        self._batch: list[Outgoing] = []
        self._batch_bytes = 0
        self._settled: list[ReadRows] = []
        self.tally = checkpoint.load() if checkpoint else LogTally()

    def run(self, rows: Iterable[Row], watch: Callable[[], None] = lambda: None) -> LogTally:
        """Send the rows that no earlier run settled, and return what became of all; `watch` is called after each.

        Raises:
            NotReady: The service stayed away. What was sent is kept, and the next run goes on.
        """
        settled = self.tally.rows
        for found in self._reader.read(_watched(rows, watch)):
            if found.rows > settled:
                self._take(found)
        self._flush()
        if self._checkpoint:
            self._checkpoint.clear()
        return self.tally

    def _take(self, found: ReadRows) -> None:
        self._batch += found.outgoing
        self._settled.append(found)
        self._batch_bytes += sum(len(one.body) for one in found.outgoing)
        if len(self._batch) >= MAX_ENTRIES or self._batch_bytes > MAX_BYTES or len(self._settled) >= _KEEP_EVERY:
            self._flush()

    def _flush(self) -> None:
        """Send what is waiting; then all rows read so far are settled."""
        for path in (SEARCHES, EVENTS):
            self._deliver(path, [one for one in self._batch if one.path == path])
        for found in self._settled:
            self._settle(found)
        self._batch, self._batch_bytes, self._settled = [], 0, []
        if self._checkpoint:
            self._checkpoint.save(self.tally)

    def _deliver(self, path: str, some: Sequence[Outgoing]) -> None:
        refused = self._send(path, some) if some else []
        taken = len(some) - len(refused)
        if path == SEARCHES:
            self.tally.searches += taken
        else:
            self.tally.events += taken
        for refusal in refused:
            self._refuse(refusal)

    def _settle(self, found: ReadRows) -> None:
        self.tally.rows = found.rows
        for reason, count in found.ignored.items():
            self.tally.ignored[reason] = self.tally.ignored.get(reason, 0) + count
        for refusal in found.refusals:
            self._refuse(refusal)

    def _refuse(self, refusal: RefusedRow) -> None:
        self.tally.refused += 1
        self._tell(refusal)


def _watched(rows: Iterable[Row], watch: Callable[[], None]) -> Iterator[Row]:
    for row in rows:
        yield row
        watch()
