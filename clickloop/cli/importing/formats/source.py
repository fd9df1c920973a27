"""What every format yields: rows, each with the place where a person finds it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast

from foundation.errors import InvalidRequest

BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading raises where a packed file ends too early or is damaged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One document to be, as its file has it.

    Attributes:
        place: File and line, row or element.
        columns: JSON values by name; empty when it has a fault.
        fault: Why it cannot be read, or "".
    """

    place: str
    columns: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table with a heading is read.

    Attributes:
        is_text: Tells of a column whether its cells stay text whatever they look like.
        names: Columns that are known by these names, in any case.
        numbers: Columns whose cells are numbers however they are written.
        encoding: Of a CSV file, as Python names it; "" is UTF-8, or UTF-16 where the file begins so.
        delimiter: Of a CSV file; "" is read off the file.
    """

    is_text: Callable[[str], bool] = lambda _column: True
    names: Collection[str] = ()
    numbers: Collection[str] = ()
    encoding: str = ""
    delimiter: str = ""

    @property
    def only_for_csv(self) -> list[str]:
        """The options given that have a meaning for CSV alone."""
        given = {"--encoding": self.encoding, "--delimiter": self.delimiter, "--numbers": self.numbers}
        return [name for name, value in given.items() if value]


class Source(Protocol):
    """Documents that are read once, from start to end, and never held as a whole.

    The order is the same each time while the files are.
    """

    @property
    def files(self) -> Sequence[Path]:
        """What is read."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns; empty where each row has its own."""

    @property
    def total_bytes(self) -> int:
        """Size of the files."""

    @property
    def done_bytes(self) -> int:
        """How far it was read, at most `total_bytes`."""

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, those that cannot be read too."""


class PackedFile:
    """One file, unpacked while it is read when its name ends in `.gz`."""

    columns: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.files = [path]
        self.total_bytes = path.stat().st_size
        self._raw: IO[bytes] | None = None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it for reading; close it at the end."""
        with self.path.open("rb") as self._raw:
            if self.path.suffix.lower() != ".gz":
                yield self._raw
                return
            with gzip.GzipFile(fileobj=self._raw) as unpacked:
                yield cast("IO[bytes]", unpacked)

    @property
    def done_bytes(self) -> int:
        """How many bytes of the file were read, as it lies on disk."""
        if self._raw is None:
            return 0
        return self.total_bytes if self._raw.closed else self._raw.tell()


def headings(file: str, columns: Sequence[str], names: Collection[str]) -> list[str]:
    """Return `columns` in the spelling of `names` where they differ in case alone and the name is not taken.

    Raises:
        InvalidRequest: Two of them are the same.
    """
    spelling = {name.casefold(): name for name in names if name not in columns}
    known = {*names}
    found = [column if column in known else spelling.get(column.casefold(), column) for column in columns]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise InvalidRequest(f"{file} has the column {twice[0]!r} more than once; rename one of them")
    return found


def broken_off(name: str, problem: Exception) -> Row:
    """Return the row that stands for everything behind the place where reading ended."""
    return Row(f"{name}, behind the rows before", fault=f"the rest cannot be read: {problem}")
