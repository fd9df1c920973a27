"""JSON Lines and JSON arrays: every object is a row, and what is none is named by its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clickloop.cli.importing.formats.json_array import JsonArray
from clickloop.cli.importing.formats.json_lines import JsonLines
from foundation.errors import InvalidRequest

OBJECTS = [{"id": "a", "n": 1.5}, {"id": "é", "fields": {"tags": ["x", None]}}]


def test_lines_are_rows_and_blank_ones_are_not(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n\n".join(json.dumps(one).encode() for one in OBJECTS))
    found = list(JsonLines(file))
    assert [row.columns for row in found] == OBJECTS
    assert [row.place for row in found] == ["a.jsonl line 1", "a.jsonl line 3"]


def test_lines_may_be_packed(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson.gz"
    file.write_bytes(gzip.compress(b'{"id": "a"}\n{"id": "b"}'))
    source = JsonLines(file)
    assert [row.columns["id"] for row in source] == ["a", "b"]
    assert source.done_bytes == source.total_bytes == file.stat().st_size


def test_a_broken_line_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id": "a"}\n{"id": \n\xff\n[1]\n{"n": NaN}\n{"id": "b"}\n')
    found = list(JsonLines(file))
    assert [bool(row.fault) for row in found] == [False, True, True, True, True, False]
    assert "is not JSON" in found[1].fault
    assert "(column" in found[1].fault
    assert found[2].fault.startswith("is not UTF-8")
    assert found[3].fault == "must be a JSON object, not list"
    assert found[4].place == "a.jsonl line 5"


@pytest.mark.parametrize("packed", [False, True])
def test_elements_of_an_array_are_rows(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / ("a.json.gz" if packed else "a.json")
    content = b"\xef\xbb\xbf \n" + json.dumps(OBJECTS, indent=2).encode()
    file.write_bytes(gzip.compress(content) if packed else content)
    found = list(JsonArray(file))
    assert [row.columns for row in found] == OBJECTS
    assert found[1].place == f"{file.name} element 2"
    assert type(found[0].columns["n"]) is float


def test_what_stands_before_a_break_in_an_array_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"id": "a"}, 7, {"id": "b"}, {"id": ')
    found = list(JsonArray(file))
    assert [row.columns.get("id") for row in found] == ["a", None, "b", None]
    assert found[1].fault == "must be a JSON object, not int"
    assert "the rest cannot be read" in found[3].fault


@pytest.mark.parametrize("content", ["", "{}", '{"documents": []}', "7"])
def test_a_file_that_is_no_array_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(InvalidRequest, match=r"array of objects.*a\.jsonl"):
        JsonArray(file)
