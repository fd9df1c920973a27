"""CSV and TSV: a heading line, then one document a record."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickloop.importing.rows import BROKEN, PackedFile, Row, broken_off
from foundation.errors import InvalidRequest

_LONGEST_CELL = 2**30
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "false": False}


class Delimited(PackedFile):
    """A file of delimited cells, quoted as RFC 4180 has it.

    The delimiter is the one of comma, semicolon and tab that the heading line holds most of. Empty
    cells are left out. Bytes that are not UTF-8 are found where the row is sent.

    Args:
        is_text: Tells of a column whether its cells stay text; the others' become numbers and
            booleans where they look like such.

    Raises:
        InvalidRequest: It has no heading line, or a column twice.
    """

    def __init__(self, path: Path, is_text: Callable[[str], bool]) -> None:
        super().__init__(path)
        with self.open() as content:
            heading = content.readline().decode("utf-8", "replace")
            self._delimiter = max(",;\t", key=heading.count)
        with self._records() as records:
            self.columns = _columns(self.name, next(records, []))
        self._text_columns = {name for name in self.columns if is_text(name)}

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every record but blank ones."""
        with self._records() as records:
            next(records)
            while True:
                place = f"{self.name} line {records.line_num + 1}"
                try:
                    cells = next(records)
                except StopIteration:
                    return
                except csv.Error as problem:
                    yield Row(place, fault=f"is not delimited as its heading is: {problem}")
                    continue
                except BROKEN as problem:
                    yield broken_off(self.name, problem)
                    return
                if cells:
                    yield self._row(place, cells)

    def _row(self, place: str, cells: list[str]) -> Row:
        if len(cells) != len(self.columns):
            return Row(place, fault=f"has {len(cells)} cells, its heading {len(self.columns)}")
        filled = [(name, cell) for name, cell in zip(self.columns, cells, strict=True) if cell]
        return Row(place, {name: cell if name in self._text_columns else read_cell(cell) for name, cell in filled})

    @contextmanager
    def _records(self) -> Iterator[Any]:
        csv.field_size_limit(_LONGEST_CELL)
        with (
            self.open() as content,
            io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
        ):
            yield csv.reader(text, delimiter=self._delimiter, strict=True)


def read_cell(cell: str) -> Any:
    """Return a cell as the number or boolean that it looks like, else as it is.

    What would change by that stays text: leading zeros, a plus, more than 15 digits.
    """
    if cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    match = _NUMBER.fullmatch(cell)
    if match is None:
        return cell
    return float(cell) if match[2] or match[3] else int(cell)


def _columns(file: str, heading: list[str]) -> list[str]:
    if not heading:
        raise InvalidRequest(f"{file} is empty; its first line must name the columns")
    if not _is_utf8("".join(heading)):
        raise InvalidRequest(f"the first line of {file} is not UTF-8; save the file as UTF-8")
    names = [name.strip() or f"column {number}" for number, name in enumerate(heading, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidRequest(f"{file} has the column {twice[0]!r} more than once; rename one of them")
    return names


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)  # what `surrogateescape` makes of other bytes
