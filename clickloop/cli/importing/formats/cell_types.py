"""What the cells of a table's columns are: numbers and booleans where nothing is lost by it, else text (pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Kind = Literal["number", "boolean", "text"]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_MAX_DIGITS = 15
"""What every reader of JSON keeps exactly."""
_MAX_CHARACTERS = 300
"""Of a number that somebody wrote; a whole one of more digits fits no float."""
_BOOLEANS = {"true": True, "false": False}


def read_cell(cell: str) -> Any:
    """Return the number or boolean that a cell is if writing that gives the same text, else the cell."""
    if cell in _BOOLEANS:
        return _BOOLEANS[cell]
    number = read_number(cell)
    return cell if number is None or str(number) != cell or sum(map(str.isdigit, cell)) > _MAX_DIGITS else number


def read_number(cell: str) -> int | float | None:
    """Return the finite number that a cell says in any of the ways to write it, None when it says none."""
    match = _NUMBER.fullmatch(cell) if len(cell) <= _MAX_CHARACTERS else None
    if match is None:
        return None
    number = float(cell) if match[1] or match[2] else int(cell)
    return number if math.isfinite(number) else None


class ColumnKinds:
    """The kind of each column of a table, read off all of its cells; holds one word a column."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._kinds: dict[str, Kind | None] = dict.fromkeys(columns)
        self._like_numbers: dict[str, str | None] = dict.fromkeys(self._kinds, "")

    @property
    def settled(self) -> bool:
        """Whether further cells change nothing."""
        return all(kind == "text" and self._like_numbers[name] is None for name, kind in self._kinds.items())

    def note(self, cells: Mapping[str, str]) -> None:
        """Look at the filled cells of a row."""
        for name in self._kinds.keys() & cells.keys():
            kind = _kind_of(cells[name])
            self._kinds[name] = kind if self._kinds[name] in (None, kind) else "text"
            if kind == "boolean" or read_number(cells[name]) is None:
                self._like_numbers[name] = None
            elif kind == "text" and self._like_numbers[name] == "":
                self._like_numbers[name] = cells[name]

    def of(self, column: str) -> Kind:
        """Return what a column is; one without a filled cell is text."""
        return self._kinds.get(column) or "text"

    def almost_numbers(self) -> dict[str, str]:
        """Return the columns of nothing but numbers of which some would be written otherwise, with one of these."""
        return {name: cell for name, cell in self._like_numbers.items() if cell}


def _kind_of(cell: str) -> Kind:
    value = read_cell(cell)
    return "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"
