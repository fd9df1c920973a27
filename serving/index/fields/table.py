"""The typed fields of a corpus by row: what filters, facets and sorting read instead of documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import iand, ior
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.arrays import Doubles, Flags, Ints
from foundation.errors import ArtifactDamaged
from serving.index.fields.column import DTYPES, Column, ColumnRun
from serving.index.fields.distances import kilometres
from serving.index.fields.dotted import flatten
from serving.index.fields.filters import AllOf, AnyOf, Condition, Equals, Exists, HasId, Near, Not, Range
from serving.index.fields.request import SortKey
from serving.index.fields.values import (
    FIELD_TYPES,
    FieldType,
    Value,
    infer_type,
    read_value,
)

MAX_FIELDS = 1000
"""Fields that documents may bring by themselves; declared ones come on top."""

MAX_NAME_CHARACTERS = 256

_HEAD = "fields.json"
_FORMAT = 2
_FAR = 1e9
"""Stands for no distance, in km."""


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """What there is of one field.

    Attributes:
        documents: How many have a value.
        misfits: How often a document was added with something of another type, which is left out.
    """

    type: FieldType
    documents: int
    misfits: int


MarkIds = Callable[[Collection[str], int], Flags]
"""Returns which of so many rows are documents with one of some ids."""


def mark_none(_ids: Collection[str], rows: int) -> Flags:
    """Mark no row, as where documents have no ids."""
    return np.zeros(rows, np.bool_)


class FieldTable:
    """The fields of documents by row, typed as declared or as the first value that has a type.

    A scalar inside objects, and inside objects in lists, is a field by its dotted name, "vendor.name"; a list holds
    several values.
    What does not fit its field's type is counted and left out. Rows are added in ascending order by
    one thread; any number read, and a reader sees whole rows of each field.

    Args:
        declared: Types that are not left to the first value.

    Attributes:
        types: The type of every field there is; never changed in place.
        misfits: By field, how many rows held something that does not fit.
        weights: What a word counts in the fields that are searched, by name.
        left_out: Values of fields beyond the first 1,000 or with names over 256 characters.
    """

    def __init__(self, declared: Mapping[str, FieldType] | None = None) -> None:
        self.types: Mapping[str, FieldType] = {}
        self.misfits: dict[str, int] = {}
        self.weights: dict[str, float] = {}
        self.left_out = 0
        self.rows = 0
        self._columns: dict[str, Column] = {}
        self.declare(declared or {})

    def declare(self, declared: Mapping[str, FieldType]) -> bool:
        """Take over declarations as far as that needs no document read again.

        Returns:
            Whether all are in force. Otherwise a field has been read with another type: nothing was
            changed, and the table must be built anew from the documents.
        """
        new = {name: field_type for name, field_type in declared.items() if self.types.get(name) != field_type}
        if any(name in self.types for name in new) or (new and self.left_out):
            return False
        self._columns |= {name: Column(field_type) for name, field_type in new.items()}
        self.types = {**self.types, **new}
        return True

    def add(self, row: int, fields: Mapping[str, Any]) -> None:
        """Add a document's fields at a row above all others.

        Raises:
            ValueError: The row is not above the others.
        """
        if row < self.rows:
            raise ValueError(f"row {row} cannot be added behind row {self.rows - 1}")
        gathered: dict[str, list[Any]] = {}
        for name, items in flatten(fields):
            gathered.setdefault(name, []).extend(items)
        for name, items in gathered.items():
            field_type = self.types.get(name) or self._admit(name, items)
            if field_type is not None and items:
                self._put(row, name, field_type, items)
        self.rows = row + 1

    def mask(self, condition: Condition, rows: int, named: MarkIds = mark_none) -> Flags:
        """Return which of the rows below `rows` fulfil a condition that was parsed with this table's types.

        Shape (rows,); the caller may change it.

        Args:
            named: Marks the rows of documents by their ids, which the table does not know.
        """
        match condition:
            case AllOf(parts):
                return reduce(iand, (self.mask(part, rows, named) for part in parts), np.full(rows, True))
            case AnyOf(parts):
                return reduce(ior, (self.mask(part, rows, named) for part in parts), np.full(rows, False))
            case Not(part):
                return ~self.mask(part, rows, named)
            case HasId(ids):
                return named(ids, rows)
            case Near(name, km=km):
                return self.distances(condition, np.arange(rows)) <= km
            case Equals(name, values):
                return self._equal(name, values, rows)
            case Range(name):
                return self._column(name).within(condition, rows)
            case Exists(name):
                return self._column(name).exists(rows)

    def holding(self, name: str, words: Collection[str], rows: int) -> Flags:
        """Return which of the rows below `rows` have a keyword in a field with all of some words, shape (rows,)."""
        return self._column(name).holding(words, rows)

    def distances(self, place: Near, rows: Ints) -> Doubles:
        """Return how far rows are from a place in km, infinite where a row has no place or several; shape (n,)."""
        lat, lon = (self._column(f"{place.field}.{part}").single(rows) for part in ("lat", "lon"))
        return kilometres(lat, lon, place.lat, place.lon)

    def numbers(self, name: str, rows: Ints) -> Doubles:
        """Return the number of each row in a field, of dates the microseconds since 1970; shape (n,).

        Not a number where a row has none or several, or where the field holds neither numbers nor dates.
        """
        counted = self.types.get(name) in {"number", "date"}
        return self._column(name).single(rows) if counted else np.full(len(rows), np.nan)

    def holds(self, name: str, value: Value, rows: Ints) -> Flags:
        """Return which of distinct rows have a value in a field, shape (len(rows),)."""
        return self._column(name).holds(value, rows)

    def known(self, name: str, rows: Ints) -> Flags:
        """Return which of distinct rows have any value in a field, shape (len(rows),)."""
        return self._column(name).known(rows)

    def stored(self, name: str, rows: Ints) -> tuple[Ints, npt.NDArray[Any]]:
        """Return a field's values of distinct rows as numbers, each with the index of its row in `rows`."""
        return self._column(name).stored(rows)

    def range(self, name: str, rows: Ints) -> tuple[Value, Value] | None:
        """Return the smallest and the largest value of a field of numbers or dates over rows, None without any."""
        return self._column(name).range(rows)

    def count(self, name: str, rows: Ints, limit: int, part: str = "") -> list[tuple[Value, int]]:
        """Return a field's most frequent values over distinct rows, as JSON values that filters take back.

        Each with the number of rows that have it, the largest first, ties by value.

        Args:
            part: What a value must hold to be counted, whatever its case and accents; "" counts all.
        """
        return self._column(name).count(rows, limit, part)

    def arrange(self, keys: Sequence[SortKey | Near], rows: Ints) -> Ints:
        """Return distinct rows by several fields, the first key counting most.

        Rows without a value come last, and equal ones keep their order.
        """
        for key in reversed(keys):
            if isinstance(key, SortKey):
                rows = self._column(key.field).order(rows, key.descending)
            else:
                rows = rows[np.argsort(self.distances(key, rows), kind="stable")]
        return rows

    def compare(self, keys: Sequence[SortKey | Near], rows: Ints, values: Sequence[Any]) -> list[npt.NDArray[np.int8]]:
        """Return by key whether each row stands before some values (-1), beside them (0) or behind them (1).

        Args:
            values: Of each key what `told` said of a document; None for one without a value.
        """
        return [
            self._column(key.field).compare(rows, key.descending, value)
            if isinstance(key, SortKey)
            else np.sign(np.minimum(self.distances(key, rows), _FAR) - (_FAR if value is None else value)).astype(
                np.int8
            )
            for key, value in zip(keys, values, strict=True)
        ]

    def told(self, keys: Sequence[SortKey | Near], row: int) -> list[Any]:
        """Return what a row is sorted by, as JSON values; None where it has no value."""
        rows = np.array([row], np.int64)
        found: list[Any] = []
        for key in keys:
            if isinstance(key, SortKey):
                found.append(self._column(key.field).told(row, key.descending))
            else:
                distance = float(self.distances(key, rows)[0])
                found.append(distance if np.isfinite(distance) else None)
        return found

    def summary(self, alive: Flags) -> dict[str, FieldSummary]:
        """Return what there is of every field.

        Args:
            alive: Which rows are present documents, shape (rows,).
        """
        return {
            name: FieldSummary(
                field_type,
                int(np.count_nonzero(self._column(name).exists(len(alive)) & alive)),
                self.misfits.get(name, 0),
            )
            for name, field_type in self.types.items()
        }

    def save(self, folder: Path) -> None:
        """Write the table into `folder`, which is made; call it from the thread that adds."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "format": _FORMAT,
            "rows": self.rows,
            "misfits": self.misfits,
            "left_out": self.left_out,
            "weights": self.weights,
            "columns": [column for field_type in FIELD_TYPES for column in self._save_type(folder, field_type)],
        }
        (folder / _HEAD).write_text(json.dumps(head))

    @classmethod
    def open(cls, folder: Path) -> FieldTable:
        """Return the table that `save` wrote, its arrays mapped from disk; what is added stays in memory.

        Raises:
            ArtifactDamaged: The folder does not hold a whole table of this form.
        """
        try:
            head = json.loads((folder / _HEAD).read_text())
            if head["format"] != _FORMAT:
                raise ArtifactDamaged(f"{folder / _HEAD} has form {head['format']}, this release reads {_FORMAT}")
            return cls._from_head(folder, head)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise ArtifactDamaged(f"{folder} does not hold a whole table of fields: {problem}") from problem

    @classmethod
    def _from_head(cls, folder: Path, head: dict[str, Any]) -> FieldTable:
        table = cls({column["name"]: column["type"] for column in head["columns"]})
        arrays = {field_type: _load_type(folder, field_type) for field_type in {one["type"] for one in head["columns"]}}
        for column in head["columns"]:
            rows, values = arrays[column["type"]]
            start, stop = column["start"], column["stop"]
            if not start <= stop <= len(rows) == len(values):
                raise ValueError(f"values of {column['name']!r} are missing")
            base = ColumnRun(rows[start:stop], values[start:stop], column["repeats"])
            table._columns[column["name"]] = Column(column["type"], base, column["words"])
        table.rows, table.misfits, table.left_out = head["rows"], head["misfits"], head["left_out"]
        table.weights = head["weights"]
        return table

    def _save_type(self, folder: Path, field_type: FieldType) -> list[dict[str, Any]]:
        """Write the values of all columns of one type and return where each column's are."""
        columns = {name: self._columns[name] for name, known in self.types.items() if known == field_type}
        runs = {name: column.runs() for name, column in columns.items()}
        every = [run for name in columns for run in runs[name]]
        for part in ("rows", "values") if every else ():
            np.save(folder / f"{field_type}.{part}.npy", np.concatenate([getattr(run, part) for run in every]))
        lengths = [sum(len(run.rows) for run in runs[name]) for name in columns]
        return [
            {
                "name": name,
                "type": field_type,
                "start": stop - length,
                "stop": stop,
                "repeats": any(run.repeats for run in runs[name]),
                "words": columns[name].words,
            }
            for name, length, stop in zip(columns, lengths, accumulate(lengths), strict=True)
        ]

    def _column(self, name: str) -> Column:
        """Return a field's column, an empty one for a field that there is not."""
        return self._columns.get(name) or Column("keyword")

    def _equal(self, name: str, values: tuple[Value | None, ...], rows: int) -> Flags:
        column = self._column(name)
        flags = column.equals([value for value in values if value is not None], rows)
        return flags | ~column.exists(rows) if None in values else flags

    def _admit(self, name: str, items: list[Any]) -> FieldType | None:
        """Make a column for a field met for the first time; None when nothing in it has a type, or there is no room."""
        field_type = next((found for item in items if (found := infer_type(item)) is not None), None)
        if field_type is None:
            return None
        if len(self.types) >= MAX_FIELDS or len(name) > MAX_NAME_CHARACTERS:
            self.left_out += 1
            return None
        self._columns[name] = Column(field_type)
        self.types = {**self.types, name: field_type}
        return field_type

    def _put(self, row: int, name: str, field_type: FieldType, items: list[Any]) -> None:
        read = [read_value(item, field_type) for item in items]
        fitting = [value for value in dict.fromkeys(read) if value is not None]
        if None in read:
            self.misfits[name] = self.misfits.get(name, 0) + 1
        if fitting:
            self._columns[name].add(row, fitting)


def _load_type(folder: Path, field_type: FieldType) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Return the rows and values of one type's columns, mapped from disk."""
    loaded = []
    for part, dtype in (("rows", np.int32), ("values", DTYPES[field_type])):
        path = folder / f"{field_type}.{part}.npy"
        array = np.asarray(np.load(path, mmap_mode="r"))
        if array.dtype != dtype or array.ndim != 1:
            raise ValueError(f"{path.name} holds {array.dtype} of {array.ndim} dimensions")
        loaded.append(array)
    return loaded[0], loaded[1]
