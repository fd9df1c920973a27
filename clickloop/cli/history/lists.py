"""Click logs with a row for every document shown: rows that stand together become one list (pure)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickloop.cli.history.entries import Entry, EntryReader, Outgoing
from foundation.errors import FieldFault

_YES = frozenset({"1", "true", "yes", "y", "t", "click", "clicked"})
_OF_CLICK = ("document_id", "user", "at")
_NO = frozenset({"", "0", "false", "no", "n", "f"})
_GAPS = (
    "must count the documents of a list from 0 or 1 without gap; a list with gaps hides what people passed over, "
    "so its clicks cannot be read"
)


def is_line(cells: Mapping[str, Any]) -> bool:
    """Tell whether a row says that a document was shown at a rank."""
    return "rank" in cells and "results" not in cells and "type" not in cells


def key_of(cells: Mapping[str, Any]) -> Hashable:
    """Return what the rows of one list share: the query's id, else query, user and moment."""
    if "query_id" in cells:
        return str(cells["query_id"])
    return tuple(str(cells.get(part, "")) for part in ("query", "user", "at"))


@dataclass(slots=True)
class ShownRows:
    """The rows of one list, as they were read: the place of the first, the number of the last."""

    key: Hashable
    place: str
    number: int
    rows: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def add(self, place: str, cells: Mapping[str, Any], number: int) -> None:
        """Take the next row."""
        self.rows.append((place, cells))
        self.number = number

    def entries(self, reading: EntryReader) -> list[Entry]:
        """Return the search, then a click for every row that was clicked; or all that is wrong."""
        columns, first = reading.columns, self.rows[0][1]
        faults: list[FieldFault] = []
        ranks = [_whole(cells["rank"]) for _, cells in self.rows]
        clicked = [_truth(cells.get("clicked", 0)) for _, cells in self.rows]
        shown = {rank: cells for rank, (_, cells) in zip(ranks, self.rows, strict=True)}
        if None in ranks or not _is_gapless(ranks):
            faults.append(FieldFault(columns["rank"], _GAPS))
        if None in clicked:
            faults.append(FieldFault(columns["clicked"], "must be 0 or 1, true or false, or a number of clicks"))
        if any("document_id" not in cells for _, cells in self.rows):
            faults.append(FieldFault(columns["document_id"], "is required"))
        if any(cells.get("query") != first.get("query") for _, cells in self.rows):
            faults.append(FieldFault(columns["query"], "differs between the rows of one list"))
        if faults:
            return [tuple(faults)]
        order = [shown[rank]["document_id"] for rank in sorted(rank for rank in ranks if rank is not None)]
        search = reading.search(self.place, dict(first) | {"results": order})
        if not isinstance(search, Outgoing):
            return [search]
        about = {"type": "click", "query_id": search.id}
        clicks = [
            reading.event(place, {part: cells[part] for part in _OF_CLICK if part in cells} | about)
            for (place, cells), hit in zip(self.rows, clicked, strict=True)
            if hit
        ]
        return [search, *clicks]


def _is_gapless(ranks: list[int | None]) -> bool:
    base = min(rank for rank in ranks if rank is not None)
    return base in {0, 1} and set(ranks) == set(range(base, base + len(ranks)))


def _whole(given: Any) -> int | None:
    """Return a rank, None for anything but a whole number of at most six digits."""
    text = str(int(given)) if type(given) is float and given.is_integer() else str(given)
    return int(text) if text.isdecimal() and len(text) <= 6 else None


def _truth(given: Any) -> bool | None:
    text = str(given).strip().lower()
    if text in _YES | _NO:
        return text in _YES
    try:
        return float(text) > 0
    except ValueError:
        return None
