"""Which column of a log says what (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clickloop.cli.importing.column_map import read_pairs
from foundation.errors import FieldFault, InvalidRequest

PARTS = ("query_id", "query", "user", "at", "results", "id", "type", "document_id", "value", "rank", "clicked")
"""What a row of a log may say; see `clickloop.cli.history.entries`."""

_TELLING = ("results", "type", "rank")
_OF_UBI = {"user_query": "query", "client_id": "user", "timestamp": "at", "query_response_hit_ids": "results"}
_EXAMPLE = "write it as query=q,user=session,at=time"


class LogColumns:
    """The columns of a log by what they say; a part that was not named is the column of its own name."""

    def __init__(self, named: Mapping[str, str]) -> None:
        self._columns = {part: named.get(part, part) for part in PARTS}
        self._named = set(named.values())
        self._seen: set[str] = set()
        self._tells_results = False

    def __getitem__(self, part: str) -> str:
        """Return the column that says a part."""
        return self._columns[part]

    @property
    def names(self) -> set[str]:
        """The columns that have a meaning here, whatever case a heading writes them in."""
        return set(self._columns.values())

    def check(self, columns: Sequence[str], file: str) -> None:
        """Check that a file with these columns says what its rows are.

        Raises:
            InvalidRequest: It does not; the message lists the columns.
        """
        there = ", ".join(columns)
        if not {self._columns[part] for part in _TELLING} & set(columns):
            raise InvalidRequest(
                f"{file} has none of the columns results (of a search), type (of an event) and rank (of a document "
                f"shown) but {there}; name one: --map results=COLUMN"
            )
        self._tells_results |= self._columns["results"] in columns

    def check_map(self, columns: Iterable[str], files: str) -> None:
        """Check that files, which have these columns together, have those of the map.

        Raises:
            InvalidRequest: They do not; the message lists the columns.
        """
        there = list(dict.fromkeys(columns))
        if missing := sorted(self._named - set(there)):
            raise InvalidRequest(
                f"--map names the column {missing[0]!r}, which is not in {files}; there are {', '.join(there)}"
            )

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a row says by part, without what is null or empty.

        An empty cell in a column of results says that a search had none.
        """
        self._seen |= self._named & row.keys()
        cells = {part: row.get(column) for part, column in self._columns.items()}
        found = {part: value for part, value in cells.items() if value is not None and value != ""}
        if self._tells_results and "query" in found and not {"type", "rank"} & found.keys():
            found.setdefault("results", [])
        return found

    def unseen(self) -> list[str]:
        """Return the columns of the map that no row had so far."""
        return sorted(self._named - self._seen)

    def place(self, fault: FieldFault) -> FieldFault:
        """Return a fault of what was sent as one of the column that it came from."""
        field = fault.field.split(".")[0]
        part = _OF_UBI.get(field, field)
        return FieldFault(self._columns.get(part, part), fault.reason)


def parse_columns(written: Iterable[str]) -> LogColumns:
    """Return the map written as `part=column,part=column`, in one or several pieces.

    Raises:
        InvalidRequest: It is not written so, or names a part twice or one that there is not.
    """
    named: dict[str, str] = {}
    for part, column in read_pairs(written, "what is said and its column", _EXAMPLE):
        if part not in PARTS:
            raise InvalidRequest(f"--map names {part!r}, which no log says; there are {', '.join(PARTS)}")
        if part in named:
            raise InvalidRequest(f"--map names {part!r} twice; one column says it")
        named[part] = column
    return LogColumns(named)
