"""Which column becomes which part of a document (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from foundation.errors import InvalidRequest
from foundation.texts import as_id

NAMED = ("id", "title", "text", "url")
"""Parts of a document that are no fields."""

_BEIR_ID = "_id"
_BETWEEN = {"id": "/", "title": " ", "url": ""}
_WANTED = "a part and its columns"
_EXAMPLE = "write it as id=sku,title=name,text=description+details"


class ColumnMap:
    """Parts of a document and the columns that they are made of.

    A part that is not named is the column of its own name; the id is `_id` where there is no `id`,
    as in BEIR's files. Columns that make no part become fields under their own names.

    Args:
        parts: Columns by part; several are joined: ids by `/`, titles by a space, urls by nothing,
            anything else as paragraphs.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]]) -> None:
        self._parts = dict(parts)
        self._used = {column for columns in parts.values() for column in columns}
        self._seen: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The columns that have a meaning here, whatever case a heading writes them in."""
        return {*NAMED, _BEIR_ID, *self._used}

    def check(self, columns: Sequence[str], file: str) -> None:
        """Check that a file with these columns has what the map names, and an id.

        Raises:
            InvalidRequest: It does not; the message lists the columns.
        """
        there = ", ".join(columns)
        if missing := sorted(self._used - set(columns)):
            raise InvalidRequest(f"{file} has no column {missing[0]!r}; it has {there}")
        if "id" not in self._parts and not {"id", _BEIR_ID} & set(columns):
            raise InvalidRequest(f"{file} has no column 'id' but {there}; name the one with ids: --map id=COLUMN")

    def makes_text(self, column: str) -> bool:
        """Tell whether a column goes into id, title, text or url, whose values stay text."""
        if column in self._used:
            return any(column in self._parts.get(part, ()) for part in NAMED)
        return column in NAMED or column == _BEIR_ID

    def unseen(self) -> list[str]:
        """Return the columns of the map that no row had so far."""
        return sorted(self._used - self._seen)

    def read(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document that a row is, as the service takes it; what is wrong with it is not looked for.

        Numbers become text in the id and where columns are joined. A null is as if the column were
        not there, but for fields.
        """
        self._seen |= self._used & columns.keys()
        document = {name: value for name, value in columns.items() if name not in self._used}
        if "id" not in self._parts and "id" not in document and _BEIR_ID in document:
            document["id"] = document.pop(_BEIR_ID)
        for part, sources in self._parts.items():
            document[part] = _join([columns.get(source) for source in sources], _BETWEEN.get(part, "\n\n"))
        document |= {"id": as_id(document["id"])} if "id" in document else {}
        return {name: value for name, value in document.items() if value is not None or name not in NAMED}


def parse_map(written: Iterable[str]) -> ColumnMap:
    """Return the map written as `part=column+column,part=column`, in one or several pieces.

    Raises:
        InvalidRequest: It is not written so, or names a part twice.
    """
    parts: dict[str, list[str]] = {}
    for part, columns in read_pairs(written, _WANTED, _EXAMPLE):
        names = [name.strip() for name in columns.split("+")]
        if not all(names):
            raise InvalidRequest(f"'{part}={columns}' in --map is not {_WANTED}; {_EXAMPLE}")
        if part in parts:
            raise InvalidRequest(f"--map names {part!r} twice; join columns with +: {part}=one+other")
        parts[part] = names
    return ColumnMap(parts)


def read_pairs(written: Iterable[str], wanted: str, example: str) -> Iterator[tuple[str, str]]:
    """Yield the sides of what is written as `part=column,part=column`, in one or several pieces.

    Args:
        wanted: What a pair is, for people who write something else, with an example.
    """
    for pair in (pair.strip() for piece in written for pair in piece.split(",")):
        part, equals, column = (side.strip() for side in pair.partition("="))
        if not (part and equals and column):
            raise InvalidRequest(f"{pair!r} in --map is not {wanted}; {example}")
        yield part, column


def _join(values: Sequence[Any], between: str) -> Any:
    if len(values) == 1:
        return values[0]
    told = [str(value) for value in values if value is not None and value != ""]
    return between.join(told) or None
