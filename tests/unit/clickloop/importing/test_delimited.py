"""CSV files as spreadsheets and databases write them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from clickloop.importing.delimited import Delimited, read_cell
from foundation.errors import InvalidRequest


def rows(path: Path, *text_columns: str) -> list[tuple[str, Any]]:
    source = Delimited(path, lambda column: column in ("id", *text_columns))
    return [(row.place.removeprefix(path.name + " "), row.fault or row.columns) for row in source]


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_a_record_may_span_lines_and_is_named_by_its_first(tmp_path: Path) -> None:
    file = write(tmp_path, 'id,text\n1,"two\nlines, ""quoted"""\n\n2,next\n')
    assert rows(file) == [
        ("line 2", {"id": "1", "text": 'two\nlines, "quoted"'}),
        ("line 5", {"id": "2", "text": "next"}),
    ]


def test_cells_become_what_they_look_like_but_those_of_text_columns(tmp_path: Path) -> None:
    file = write(tmp_path, "id,title,price,sold,zip,empty\n7,1.50,1.50,TRUE,04109,\n")
    (row,) = rows(file, "title")
    assert row[1] == {"id": "7", "title": "1.50", "price": 1.5, "sold": True, "zip": "04109"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0),
        ("-3", -3),
        ("1e3", 1000.0),
        ("2.0", 2.0),
        ("false", False),
        ("007", "007"),
        ("+49", "+49"),
        ("1,5", "1,5"),
        ("1234567890123456", "1234567890123456"),
        ("1e999", "1e999"),
        ("nan", "nan"),
        ("٣", "٣"),
    ],
)
def test_what_would_change_by_becoming_a_number_stays_text(cell: str, value: object) -> None:
    assert read_cell(cell) == value
    assert type(read_cell(cell)) is type(value)


@pytest.mark.parametrize(("delimiter", "name"), [(";", "a.csv"), ("\t", "a.tsv"), (",", "a.CSV.GZ")])
def test_the_delimiter_is_read_off_the_heading(tmp_path: Path, delimiter: str, name: str) -> None:
    content = f"\ufeffid{delimiter}text\r\na{delimiter}1, 2\r\n".replace("1, 2", '"1, 2"').encode()
    file = write(tmp_path, gzip.compress(content) if name.endswith("GZ") else content, name)
    assert rows(file) == [("line 2", {"id": "a", "text": "1, 2"})]


def test_a_broken_record_costs_no_other(tmp_path: Path) -> None:
    file = write(tmp_path, 'id,text\na,1,2\nb\n"c"x,3\nd,fine\ne,"open\n')
    assert [place for place, _ in rows(file)] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    told = [found for _, found in rows(file)]
    assert told[0] == "has 3 cells, its heading 2"
    assert told[1] == "has 1 cells, its heading 2"
    assert "delimited" in told[2]
    assert told[3] == {"id": "d", "text": "fine"}
    assert "delimited" in told[4]


def test_columns_without_a_name_are_named_by_their_place(tmp_path: Path) -> None:
    assert rows(write(tmp_path, ",id\n5,a\n")) == [("line 2", {"column 1": 5, "id": "a"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"id,a,a\n", "'a' more than once"), ("id,größe\n".encode("latin-1"), "UTF-8")],
)
def test_a_heading_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Delimited(write(tmp_path, content), str.isalpha)


def test_a_packed_file_that_breaks_off_keeps_the_rows_before(tmp_path: Path) -> None:
    packed = gzip.compress(b"id,text\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1000) for n in range(9000)))
    found = rows(write(tmp_path, packed[:-500], "a.csv.gz"))
    assert len(found) > 100
    assert found[-1][0].endswith("behind the rows before")
    assert "cannot be read" in found[-1][1]


def test_progress_is_in_bytes_of_the_file(tmp_path: Path) -> None:
    source = Delimited(write(tmp_path, "id\n" + "a\n" * 50_000), str.isalpha)
    assert source.done_bytes in (0, source.total_bytes)
    seen = [source.done_bytes for _ in source]
    assert seen == sorted(seen)
    assert source.done_bytes == source.total_bytes
