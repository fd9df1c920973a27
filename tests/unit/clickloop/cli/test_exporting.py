"""What is exported can be read again, as it was."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from clickloop.cli.exporting import export_documents
from clickloop.cli.importing.column_map import parse_map
from clickloop.cli.importing.formats.json_lines import JsonLines
from foundation.errors import Conflict, InvalidRequest
from serving.catalog.submission import read_document

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "a/1", "title": "A", "text": "x\ny", "url": "/a", "fields": {"n": 1, "tags": ["é"]}, "change": 3},
    {"id": "b", "title": "", "text": "B", "url": "", "fields": {}, "change": 4},
]


@pytest.mark.parametrize("name", ["a.jsonl", "deep/a.NDJSON", "a.jsonl.gz", "folder"])
def test_an_export_is_an_import(tmp_path: Path, name: str) -> None:
    file, count = export_documents(iter(DOCUMENTS), tmp_path / name)
    assert count == 2
    assert file == (tmp_path / name if "." in name else tmp_path / "folder" / "corpus.jsonl")
    found = [read_document(parse_map([]).read(row.columns)) for row in JsonLines(file)]
    assert found == [read_document({key: value for key, value in one.items() if key != "change"}) for one in DOCUMENTS]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_folder_is_in_beir_form(tmp_path: Path) -> None:
    file, _ = export_documents(DOCUMENTS, tmp_path / "folder")
    first = json.loads(file.read_text().splitlines()[0])
    assert first == {"_id": "a/1", "title": "A", "text": "x\ny", "url": "/a", "n": 1, "tags": ["é"]}


def test_a_packed_file_is_packed(tmp_path: Path) -> None:
    file, _ = export_documents(DOCUMENTS, tmp_path / "a.jsonl.gz")
    assert len(gzip.decompress(file.read_bytes()).splitlines()) == 2


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("mine")
    with pytest.raises(Conflict, match="there already"):
        export_documents(DOCUMENTS, tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == "mine"


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    clash = [*DOCUMENTS, DOCUMENTS[1] | {"fields": {"title": "other"}}]
    with pytest.raises(InvalidRequest, match=r"'b' has a field 'title'.*\.jsonl"):
        export_documents(clash, tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []
    assert export_documents(clash, tmp_path / "a.jsonl")[1] == 3
