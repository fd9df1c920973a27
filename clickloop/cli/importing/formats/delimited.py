"""CSV and TSV: a heading line, then one document a record."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickloop.cli.importing.formats.cell_types import ColumnKinds, read_cell, read_number
from clickloop.cli.importing.formats.source import BROKEN, PackedFile, Row, TableForm, broken_off, headings
from foundation.errors import InvalidRequest

_MAX_CELL_CHARACTERS = 2**30
_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"')
_EXCELS_LINE = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Delimited(PackedFile):
    """A file of delimited cells, quoted as RFC 4180 has it.

    The delimiter is the one that Excel's line `sep=;` names, else the one of comma, semicolon and tab that
    the heading line holds most of. Empty cells are left out. Bytes that the encoding does not have are
    found where the row is sent.

    A column is one of numbers or booleans when each of its cells is written as JSON writes the value; for
    that the file is read twice. Every other column is text.

    Args:
        form: How it is written, and which columns are text whatever they look like.

    Raises:
        InvalidRequest: It has no heading line, a column twice, or is not in the encoding named.
    """

    def __init__(self, path: Path, form: TableForm) -> None:
        super().__init__(path)
        self._form = form
        self._encoding = self._find_encoding()
        self._lines_before = 0
        self._delimiter = self._find_delimiter()
        with self._records() as records:
            self.columns = headings(self.name, _columns(self.name, next(records, []), self._encoding), form.names)
        self._numbers = self._find_numbers()
        self._kinds = ColumnKinds(name for name in self.columns if name not in self._numbers and not form.is_text(name))

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every record but blank ones, once all were read to find what the columns are."""
        for row in self._rows():
            if self._kinds.settled:
                break
            self._kinds.note(row.columns)
        return map(self._typed, self._rows())

    @property
    def almost_numbers(self) -> dict[str, str]:
        """Columns that stay text for numbers that would be written otherwise, with one of these; once read."""
        return self._kinds.almost_numbers()

    def _rows(self) -> Iterator[Row]:
        """Yield the rows with their cells as text."""
        with self._records() as records:
            next(records)
            while True:
                place = f"{self.name} line {self._lines_before + records.line_num + 1}"
                try:
                    cells = next(records)
                except StopIteration:
                    return
                except csv.Error as problem:
                    yield Row(place, fault=f"is not delimited as its heading is: {problem}")
                    continue
                except (*BROKEN, UnicodeError) as problem:
                    yield broken_off(self.name, problem)
                    return
                if cells:
                    yield self._row(place, cells)

    def _row(self, place: str, cells: list[str]) -> Row:
        if len(cells) != len(self.columns):
            return Row(place, fault=f"has {len(cells)} cells, its heading {len(self.columns)}")
        return Row(place, {name: cell for name, cell in zip(self.columns, cells, strict=True) if cell})

    def _typed(self, row: Row) -> Row:
        values: dict[str, Any] = {}
        for name, cell in row.columns.items():
            values[name] = cell if self._kinds.of(name) == "text" else read_cell(cell)
            if name in self._numbers:
                values[name] = read_number(cell.strip())
                if values[name] is None:
                    return Row(row.place, fault=f"{name} holds {cell!r}, which is no number as --numbers wants it")
        return Row(row.place, values, row.fault)

    def _find_numbers(self) -> set[str]:
        spelling = {name.casefold(): name for name in self.columns}
        numbers = {spelling.get(name.casefold(), name) for name in self._form.numbers}
        if missing := sorted(numbers - set(self.columns)):
            raise InvalidRequest(f"--numbers names {missing[0]!r}, and {self.name} has {', '.join(self.columns)}")
        return numbers

    def _find_encoding(self) -> str:
        if self._form.encoding:
            return self._form.encoding
        with self.open() as content:
            return "utf-16" if content.read(2) in _UTF_16 else "utf-8-sig"

    def _find_delimiter(self) -> str:
        """Return what separates cells, and note how many lines stand before the heading."""
        with self._text() as text:
            heading = text.readline()
        if told := _EXCELS_LINE.fullmatch(heading):
            self._lines_before = 1
        unquoted = _QUOTED.sub("", heading)
        return self._form.delimiter or (told[1] if told else max(_DELIMITERS, key=unquoted.count))

    @contextmanager
    def _records(self) -> Iterator[Any]:
        csv.field_size_limit(_MAX_CELL_CHARACTERS)
        with self._text() as text:
            for _ in range(self._lines_before):
                text.readline()
            yield csv.reader(text, delimiter=self._delimiter, strict=True)

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        with self.open() as content:
            try:
                text = io.TextIOWrapper(content, encoding=self._encoding, errors="surrogateescape", newline="")
            except LookupError as problem:
                raise InvalidRequest(f"{self._encoding!r} is no encoding; --encoding is utf-8 or latin-1") from problem
            with text:
                try:
                    yield text
                except UnicodeError as problem:
                    raise InvalidRequest(f"{self.name} is not in {self._encoding}: {problem}") from problem


def read_delimiter(written: str) -> str:
    r"""Return the delimiter that a person names, `\t` and `tab` for the tabulator.

    Raises:
        InvalidRequest: It is not one character.
    """
    delimiter = "\t" if written.lower() in {r"\t", "tab"} else written
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n"}:
        raise InvalidRequest(f"--delimiter is one character, such as ';' or tab, not {written!r}")
    return delimiter


def _columns(file: str, heading: list[str], encoding: str) -> list[str]:
    if not heading:
        raise InvalidRequest(f"{file} is empty; its first line must name the columns")
    if not _is_whole("".join(heading)):
        name = encoding.removesuffix("-sig").upper()
        raise InvalidRequest(f"the first line of {file} is not {name}; name its encoding: --encoding latin-1")
    return [name.strip() or f"column {number}" for number, name in enumerate(heading, start=1)]


def _is_whole(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)  # what `surrogateescape` makes of other bytes
