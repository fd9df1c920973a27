"""CSV files as spreadsheets and databases write them."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickloop.cli.importing.formats.cell_types import read_cell
from clickloop.cli.importing.formats.delimited import Delimited, read_delimiter
from clickloop.cli.importing.formats.source import TableForm
from foundation.errors import InvalidRequest


def rows(path: Path, *text_columns: str, **form: Any) -> list[tuple[str, Any]]:
    source = Delimited(path, TableForm(lambda column: column in ("id", *text_columns), **form))
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


@pytest.mark.parametrize("cell", ["12E4", "1E10", "1.10", "00123", "TRUE", "007", "1e3", "-0", "2.50", "+49", "nan"])
def test_a_cell_is_read_back_as_it_was_written(tmp_path: Path, cell: str) -> None:
    (row,) = rows(write(tmp_path, f"id,code\na,{cell}\n"))
    assert row[1] == {"id": "a", "code": cell}


def test_plain_numbers_and_booleans_become_such_but_in_text_columns(tmp_path: Path) -> None:
    file = write(tmp_path, "id,title,price,sold,empty\n7,1.5,1.5,true,\n8,2,5,false,\n")
    assert [row for _, row in rows(file, "title")] == [
        {"id": "7", "title": "1.5", "price": 1.5, "sold": True},
        {"id": "8", "title": "2", "price": 5, "sold": False},
    ]


def test_one_cell_that_is_no_plain_number_makes_its_column_text(tmp_path: Path) -> None:
    file = write(tmp_path, "id,version,count,mixed\na,1.9,1,true\nb,1.10,2,5\n")
    assert [row for _, row in rows(file)] == [
        {"id": "a", "version": "1.9", "count": 1, "mixed": "true"},
        {"id": "b", "version": "1.10", "count": 2, "mixed": "5"},
    ]


def test_the_last_cell_of_a_long_file_decides_too_and_little_is_held(tmp_path: Path) -> None:
    file = write(tmp_path, "id,n,code\n" + "a,1,7\n" * 50_000 + "a,2,007\n")
    source = Delimited(file, TableForm(lambda column: column == "id"))
    tracemalloc.start()
    first = next(iter(source)).columns
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert first == {"id": "a", "n": 1, "code": "7"}
    assert peak < 2**20


def test_numbers_are_taken_however_they_are_written_where_that_is_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, "id,Price\na,19.90\nb,1e2\nc,soon\nd,\n")
    told = [row for _, row in rows(file, numbers=["price"])]
    assert told[:2] == [{"id": "a", "Price": 19.9}, {"id": "b", "Price": 100.0}]
    assert "'soon'" in told[2]
    assert told[3] == {"id": "d"}
    with pytest.raises(InvalidRequest, match="--numbers names 'cost'"):
        rows(file, numbers=["cost"])


def test_columns_of_numbers_that_stay_text_are_named(tmp_path: Path) -> None:
    source = Delimited(write(tmp_path, "id,price,sku\na,5,1\nb,19.90,x1\n"), TableForm(lambda name: name == "id"))
    assert list(source)
    assert source.almost_numbers == {"price": "19.90"}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0),
        ("-3", -3),
        ("2.0", 2.0),
        ("false", False),
        ("1,5", "1,5"),
        ("1234567890123456", "1234567890123456"),
        ("0.00001", "0.00001"),
        ("1e999", "1e999"),
        ("٣", "٣"),
    ],
)
def test_what_would_change_by_becoming_a_number_stays_text(cell: str, value: object) -> None:
    assert read_cell(cell) == value
    assert type(read_cell(cell)) is type(value)


@given(st.text("0123456789.eE+-", max_size=20) | st.integers().map(str) | st.floats(allow_nan=False).map(str))
def test_a_number_is_written_as_its_cell_was(cell: str) -> None:
    assert str(read_cell(cell)) == cell


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_excels_line_names_the_delimiter(tmp_path: Path, first: str) -> None:
    file = write(tmp_path, f"{first}\r\nid;a,b,c\r\n1;x\r\n")
    assert rows(file) == [("line 3", {"id": "1", "a,b,c": "x"})]


def test_a_delimiter_that_is_named_counts(tmp_path: Path) -> None:
    assert rows(write(tmp_path, "id|a,b\n1|x\n"), delimiter="|") == [("line 2", {"id": "1", "a,b": "x"})]
    assert [read_delimiter(written) for written in ("", ";", "tab", r"\t")] == ["", ";", "\t", "\t"]
    with pytest.raises(InvalidRequest, match="one character"):
        read_delimiter("::")


def test_delimiters_inside_quotes_of_the_heading_do_not_count(tmp_path: Path) -> None:
    assert rows(write(tmp_path, 'id;"a,b,c"\n1;x\n')) == [("line 2", {"id": "1", "a,b,c": "x"})]


@pytest.mark.parametrize(("encoding", "named"), [("latin-1", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "")])
def test_other_encodings_are_read(tmp_path: Path, encoding: str, named: str) -> None:
    file = write(tmp_path, "id,größe\n1,schön\n".encode(encoding))
    assert rows(file, encoding=named) == [("line 2", {"id": "1", "größe": "schön"})]


def test_an_encoding_that_there_is_not_is_named(tmp_path: Path) -> None:
    for encoding in ("latin-99", "hex"):
        with pytest.raises(InvalidRequest, match=encoding):
            rows(write(tmp_path, "id\n1\n"), encoding=encoding)


def test_a_file_in_another_encoding_than_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="utf-16"):
        rows(write(tmp_path, "id\n1\n"), encoding="utf-16")


def test_headings_are_known_in_any_case(tmp_path: Path) -> None:
    file = write(tmp_path, "ID,Title,Text,Maker\n007,T,x,1\n")
    assert rows(file, "title", "text", names=("id", "title", "text")) == [
        ("line 2", {"id": "007", "title": "T", "text": "x", "Maker": 1})
    ]
    with pytest.raises(InvalidRequest, match="'id' more than once"):
        rows(write(tmp_path, "ID,Id\n1,2\n"), names=("id",))
    assert rows(write(tmp_path, "id,ID\n1,2\n"), names=("id",)) == [("line 2", {"id": "1", "ID": 2})]


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
    [(b"", "empty"), (b"id,a,a\n", "'a' more than once"), ("id,größe\n".encode("latin-1"), "--encoding latin-1")],
)
def test_a_heading_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Delimited(write(tmp_path, content), TableForm())


def test_a_packed_file_that_breaks_off_keeps_the_rows_before(tmp_path: Path) -> None:
    packed = gzip.compress(b"id,text\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1000) for n in range(9000)))
    found = rows(write(tmp_path, packed[:-500], "a.csv.gz"))
    assert len(found) > 100
    assert found[-1][0].endswith("behind the rows before")
    assert "cannot be read" in found[-1][1]


def test_progress_is_in_bytes_of_the_file(tmp_path: Path) -> None:
    source = Delimited(write(tmp_path, "id\n" + "a\n" * 50_000), TableForm())
    assert source.done_bytes in (0, source.total_bytes)
    seen = [source.done_bytes for _ in source]
    assert seen == sorted(seen)
    assert source.done_bytes == source.total_bytes


@pytest.mark.parametrize("cell", ["9" * 4301, "9" * 400 + ".0", "-" + "9" * 400 + "e1"], ids=["long", "large", "less"])
def test_digits_beyond_every_number_are_text_and_end_no_import(tmp_path: Path, cell: str) -> None:
    file = write(tmp_path, f"id,code\na,{cell}\nb,7\n")
    assert [row for _, row in rows(file)] == [{"id": "a", "code": cell}, {"id": "b", "code": "7"}]
    refused, taken = (row for _, row in rows(file, numbers=["code"]))
    assert "no number as --numbers wants it" in refused
    assert taken == {"id": "b", "code": 7}
