"""Parquet, by pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clickloop.cli.importing.formats.json_values import plain
from clickloop.cli.importing.formats.source import Row, broken_off, headings
from foundation.errors import InvalidRequest, needs_extra

_AT_ONCE = 1000
_UNFIT = (ValueError, ArithmeticError, LookupError, NotImplementedError)
"""What pyarrow raises for a value that Python has no type for; its errors are of these kinds too."""


class Parquet:
    """A Parquet file, read in batches of rows. Nulls are left out.

    Moments that Python has no type for, of nanoseconds or beyond the year 9999, are text.

    Args:
        names: Columns that are known by these names, in any case.

    Raises:
        MissingExtra: pyarrow is not installed.
        InvalidRequest: It is not a Parquet file, or has a column twice.
    """

    def __init__(self, path: Path, names: Collection[str] = ()) -> None:
        with needs_extra("parquet", f"--from {path.name}"):
            import pyarrow
            from pyarrow import parquet
        self._arrow = pyarrow
        self._broken = (pyarrow.ArrowException, OSError)
        self._name = path.name
        self.files = [path]
        self.total_bytes = path.stat().st_size
        self._done_rows = 0
        try:
            self._file = parquet.ParquetFile(path)
        except self._broken as problem:
            raise InvalidRequest(f"{path} is not a Parquet file: {problem}") from problem
        self._total_rows = max(1, self._file.metadata.num_rows)
        self.columns = headings(path.name, self._file.schema_arrow.names, names)

    @property
    def done_bytes(self) -> int:
        """How far it was read, by rows: the share of the file's bytes."""
        return int(self.total_bytes * self._done_rows / self._total_rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every row, counted from 1."""
        try:
            for batch in self._file.iter_batches(batch_size=_AT_ONCE):
                cells = [self._cells(column) for column in batch.columns]
                for values in zip(*cells, strict=True):
                    self._done_rows += 1
                    yield self._row(dict(zip(self.columns, values, strict=True)))
        except self._broken as problem:
            yield broken_off(self._name, problem)

    def _row(self, columns: dict[str, Any]) -> Row:
        place = f"{self._name} row {self._done_rows}"
        values = {}
        for name, value in columns.items():
            if isinstance(value, _Unreadable):
                return Row(place, fault=f"{name} cannot be read: {value.reason}")
            try:
                values[name] = plain(value)
            except TypeError as problem:
                return Row(place, fault=f"{name} {problem}")
        return Row(place, {name: value for name, value in values.items() if value is not None})

    def _cells(self, column: Any) -> list[Any]:
        """Return a column's values; those that cannot be read say why."""
        if "[ns" in str(column.type):  # of nanoseconds pyarrow makes other things where pandas is installed
            return [self._cell(scalar) for scalar in column]
        try:
            values: list[Any] = column.to_pylist()
        except _UNFIT:
            return [self._cell(scalar) for scalar in column]
        return values

    def _cell(self, scalar: Any) -> Any:
        try:
            return self._value(scalar)
        except _UNFIT as problem:
            return _Unreadable(f"{scalar.type} out of reach ({problem})")

    def _value(self, scalar: Any) -> Any:
        """Return a value as Python has it, a moment that it cannot have as text."""
        types = self._arrow.types
        if scalar.is_valid and types.is_nested(scalar.type) and not types.is_map(scalar.type):
            if types.is_struct(scalar.type):
                return {name: self._value(scalar[name]) for name in scalar}
            return [self._value(one) for one in scalar.values]
        try:
            return self._in_microseconds(scalar).as_py()
        except _UNFIT:
            if not (types.is_timestamp(scalar.type) or types.is_date(scalar.type) or types.is_time(scalar.type)):
                raise
            text = str(scalar.cast(self._arrow.string()).as_py())
            if text.startswith("<"):  # Arrow's own words for what it cannot write
                raise
            return text.replace(" ", "T")

    def _in_microseconds(self, scalar: Any) -> Any:
        """Return a moment of nanoseconds as one of microseconds; raises where it would lose some."""
        types, kind = self._arrow.types, scalar.type
        if not types.is_temporal(kind) or "[ns" not in str(kind) or not scalar.is_valid:
            return scalar
        if types.is_timestamp(kind):
            return scalar.cast(self._arrow.timestamp("us", kind.tz))
        if types.is_duration(kind):
            return scalar.cast(self._arrow.duration("us"))
        return scalar.cast(self._arrow.time64("us"))


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for a value that cannot be read."""

    reason: str
