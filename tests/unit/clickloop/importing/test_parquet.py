"""Parquet files: typed columns become JSON values, and who lacks pyarrow is told."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as writer

from clickloop.importing.parquet import Parquet
from foundation.errors import InvalidRequest, MissingExtra


def write(folder: Path, columns: dict[str, object]) -> Path:
    file = folder / "a.parquet"
    writer.write_table(pa.table(columns), file)
    return file


def test_typed_values_become_json(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {
            "id": [1, 2],
            "title": ["a", None],
            "price": [1.5, float("nan")],
            "day": [date(2026, 1, 5), None],
            "at": [datetime(2026, 1, 5, tzinfo=UTC), None],
            "cost": [Decimal("2.50"), None],
            "tags": [["x", "y"], []],
        },
    )
    source = Parquet(file)
    assert list(source.columns) == ["id", "title", "price", "day", "at", "cost", "tags"]
    first, second = source
    assert first.columns == {
        "id": 1,
        "title": "a",
        "price": 1.5,
        "day": "2026-01-05",
        "at": "2026-01-05T00:00:00+00:00",
        "cost": 2.5,
        "tags": ["x", "y"],
    }
    assert second.columns == {"id": 2, "tags": []}
    assert second.place == "a.parquet row 2"
    assert source.done_bytes == source.total_bytes


def test_bytes_are_a_fault_of_their_row(tmp_path: Path) -> None:
    (row,) = Parquet(write(tmp_path, {"id": ["a"], "picture": [b"\x00"]}))
    assert "bytes" in row.fault


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_text("id,text\n")
    with pytest.raises(InvalidRequest, match=r"a\.parquet is not a Parquet file"):
        Parquet(file)


def test_a_missing_pyarrow_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'clickloop\[parquet\]'"):
        Parquet(tmp_path / "a.parquet")
