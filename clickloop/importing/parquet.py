"""Parquet, by pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clickloop.importing.rows import Row, broken_off
from clickloop.importing.values import plain
from foundation.errors import InvalidRequest
from foundation.extras import needs_extra

_AT_ONCE = 1000


class Parquet:
    """A Parquet file, read in batches of rows. Nulls are left out.

    Raises:
        MissingExtra: pyarrow is not installed.
        InvalidRequest: It is not a Parquet file.
    """

    def __init__(self, path: Path) -> None:
        with needs_extra("parquet", f"--from {path.name}"):
            import pyarrow  # noqa: PLC0415  only the extra `parquet` installs it
            from pyarrow import parquet  # noqa: PLC0415  only the extra `parquet` installs it
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
        self.columns = list(self._file.schema_arrow.names)

    @property
    def done_bytes(self) -> int:
        """How far it was read, by rows: the share of the file's bytes."""
        return int(self.total_bytes * self._done_rows / self._total_rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every row, counted from 1."""
        try:
            for batch in self._file.iter_batches(batch_size=_AT_ONCE):
                for columns in batch.to_pylist():
                    self._done_rows += 1
                    yield self._row(columns)
        except self._broken as problem:
            yield broken_off(self._name, problem)

    def _row(self, columns: dict[str, Any]) -> Row:
        place = f"{self._name} row {self._done_rows}"
        try:
            values = {name: plain(value) for name, value in columns.items()}
        except TypeError as problem:
            return Row(place, fault=str(problem))
        return Row(place, {name: value for name, value in values.items() if value is not None})
