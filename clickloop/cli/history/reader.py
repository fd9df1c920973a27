"""Reads a log row by row into searches and events, and says how many rows each of them settles (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickloop.cli.history.entries import SEARCHES, Entry, EntryReader, Ignored, Outgoing
from clickloop.cli.history.lists import ShownRows, is_line, key_of
from clickloop.cli.importing.delivery import RefusedRow
from clickloop.cli.importing.formats.source import Row
from foundation.errors import FieldFault

_TWICE = "appears a second time"
_APART = "belongs to a list that ended before; rows of one list must stand together: sort the file"
_UNCLEAR = "is neither a search with results, an event with a type, nor a shown document with a rank"


@dataclass(slots=True)
class ReadRows:
    """What the rows up to number `rows` amount to: what is to be sent, what is refused, and what teaches nothing."""

    rows: int
    outgoing: list[Outgoing] = field(default_factory=list)
    refusals: list[RefusedRow] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)

    def add(self, place: str, entry: Entry) -> None:
        """Take what a row amounts to."""
        match entry:
            case Outgoing():
                self.outgoing.append(entry)
            case Ignored():
                self.ignored[entry.reason] += 1
            case _:
                self.refusals.append(RefusedRow(place, "", entry))


class LogReader:
    """Holds the ids of searches, to find those that come twice, and the rows of one list; nothing else."""

    def __init__(self, reading: EntryReader) -> None:
        self._reading = reading
        self._searches: set[Hashable] = set()
        self._open: ShownRows | None = None

    def read(self, rows: Iterable[Row]) -> Iterator[ReadRows]:
        """Yield what the rows amount to, in their order."""
        for number, row in enumerate(rows, start=1):
            cells = self._reading.columns.read(row.columns)
            if row.fault or not is_line(cells):
                yield from self._close()
                yield self._alone(row, cells, number)
            elif self._open is not None and self._open.key == key_of(cells):
                self._open.add(row.place, cells, number)
            else:
                yield from self._close()
                self._open = ShownRows(key_of(cells), row.place, number)
                self._open.add(row.place, cells, number)
        yield from self._close()

    def _alone(self, row: Row, cells: Mapping[str, Any], number: int) -> ReadRows:
        found = ReadRows(number)
        if row.fault:
            found.add(row.place, (FieldFault("row", row.fault),))
        elif "results" in cells:
            self._add_search(found, row.place, self._reading.search(row.place, cells), _TWICE)
        elif "type" in cells:
            found.add(row.place, self._reading.event(row.place, cells))
        else:
            found.add(row.place, (FieldFault("row", _UNCLEAR),))
        return found

    def _close(self) -> Iterator[ReadRows]:
        """Yield the list whose rows have ended."""
        if self._open is None:
            return
        shown, self._open = self._open, None
        found = ReadRows(shown.number)
        search, *clicks = shown.entries(self._reading)
        if self._add_search(found, shown.place, search, _APART):
            for click in clicks:
                found.add(shown.place, click)
        yield found

    def _add_search(self, found: ReadRows, place: str, entry: Entry, repeated: str) -> bool:
        """Add a search unless its id was there before; tell whether it is to be sent."""
        if isinstance(entry, Outgoing) and entry.path == SEARCHES and entry.id in self._searches:
            entry = (FieldFault(self._reading.columns["query_id"], repeated),)
        found.add(place, entry)
        if isinstance(entry, Outgoing):
            self._searches.add(entry.id)
            return True
        return False
