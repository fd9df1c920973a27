"""Parquet files: typed columns become JSON values, and who lacks pyarrow is told."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as writer

from clickloop.cli.importing.formats.parquet import Parquet
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


def test_moments_that_python_cannot_have_are_text_and_the_rest_comes_in(tmp_path: Path) -> None:
    columns = {
        "id": [1, 2],
        "fine": pa.array([1, 1_000], pa.timestamp("ns")),
        "zoned": pa.array([1, 1_000], pa.timestamp("ns", "UTC")),
        "far": pa.array([2_932_897, 0], pa.date32()),
        "hour": pa.array([5, None], pa.time64("ns")),
        "all": pa.array([[1], [1_000]], pa.list_(pa.timestamp("ns"))),
    }
    first, second = Parquet(write(tmp_path, columns))
    assert first.columns == {
        "id": 1,
        "fine": "1970-01-01T00:00:00.000000001",
        "zoned": "1970-01-01T00:00:00.000000001Z",
        "far": "10000-01-01",
        "hour": "00:00:00.000000005",
        "all": ["1970-01-01T00:00:00.000000001"],
    }
    assert second.columns["far"] == "1970-01-01"
    assert second.columns["fine"] == "1970-01-01T00:00:00.000001"


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.duration("s"), pa.timestamp("us", "Nowhere/Land")])
def test_a_value_out_of_reach_is_a_fault_of_its_row_alone(tmp_path: Path, kind: pa.DataType) -> None:
    first, second = Parquet(write(tmp_path, {"id": [1, 2], "at": pa.array([2**60, None], kind)}))
    assert first.fault.startswith("at cannot be read")
    assert second.columns == {"id": 2}


def test_text_that_is_not_utf8_is_a_fault_of_its_row_alone(tmp_path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"b"]).buffers())
    first, second = Parquet(write(tmp_path, {"id": [1, 2], "text": text}))
    assert first.fault.startswith("text cannot be read")
    assert second.columns == {"id": 2, "text": "b"}


def test_headings_are_known_in_any_case(tmp_path: Path) -> None:
    source = Parquet(write(tmp_path, {"ID": [1], "Title": ["t"], "Maker": ["m"]}), ("id", "title"))
    assert [row.columns for row in source] == [{"id": 1, "title": "t", "Maker": "m"}]


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    writer.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"]), file)
    with pytest.raises(InvalidRequest, match="'id' more than once"):
        Parquet(file)
