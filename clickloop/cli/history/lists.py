"""Click logs with a row for every document shown: rows that stand together become one list (pure)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickloop.cli.history.entries import Entry, EntryReader, Outgoing
from foundation.errors import FieldFault

_YES = frozenset({"1", "true", "yes", "y", "t", "click", "clicked"})
_NO = frozenset({"", "0", "false", "no", "n", "f"})
_GAPS = (
    "must count the documents of a list from 0 or 1 without gap; a list with gaps hides what people passed over, "
    "so its clicks cannot be read"
)


def is_line(said: Mapping[str, Any]) -> bool:
    """Tell whether a row says that a document was shown at a rank."""
    return "rank" in said and "results" not in said and "type" not in said


def key_of(said: Mapping[str, Any]) -> Hashable:
    """Return what the rows of one list share: the query's id, else query, user and moment."""
    if "query_id" in said:
        return str(said["query_id"])
    return tuple(str(said.get(part, "")) for part in ("query", "user", "at"))


@dataclass(slots=True)
class ShownRows:
    """The rows of one list, as they were read: the place of the first, the number of the last."""

    key: Hashable
    place: str
    number: int
    rows: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def add(self, place: str, said: Mapping[str, Any], number: int) -> None:
        """Take the next row."""
        self.rows.append((place, said))
        self.number = number

    def entries(self, reading: EntryReader) -> list[Entry]:
        """Return the search, then a click for every row that was clicked; or all that is wrong."""
        columns, first = reading.columns, self.rows[0][1]
        faults: list[FieldFault] = []
        ranks = [_whole(said["rank"]) for _, said in self.rows]
        clicked = [_truth(said.get("clicked", 0)) for _, said in self.rows]
        shown = {rank: said for rank, (_, said) in zip(ranks, self.rows, strict=True)}
        if None in ranks or not _is_gapless(ranks):
            faults.append(FieldFault(columns["rank"], _GAPS))
        if None in clicked:
            faults.append(FieldFault(columns["clicked"], "must be 0 or 1, true or false, or a number of clicks"))
        if any("document_id" not in said for _, said in self.rows):
            faults.append(FieldFault(columns["document_id"], "is required"))
        if any(said.get("query") != first.get("query") for _, said in self.rows):
            faults.append(FieldFault(columns["query"], "differs between the rows of one list"))
        if faults:
            return [tuple(faults)]
        order = [shown[rank]["document_id"] for rank in sorted(rank for rank in ranks if rank is not None)]
        search = reading.search(self.place, dict(first) | {"results": order})
        if not isinstance(search, Outgoing):
            return [search]
        clicks = [
            reading.event(place, self._click(said, search.id))
            for (place, said), hit in zip(self.rows, clicked, strict=True)
            if hit
        ]
        return [search, *clicks]

    def _click(self, said: Mapping[str, Any], query_id: str) -> Mapping[str, Any]:
        kept = {part: said[part] for part in ("document_id", "user", "at") if part in said}
        return kept | {"type": "click", "query_id": query_id}


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
