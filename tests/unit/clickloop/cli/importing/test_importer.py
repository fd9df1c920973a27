"""An import takes what is good, names what is not, and goes on where it ended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clickloop.cli.importing.checkpoint import Checkpoint, ImportTally
from clickloop.cli.importing.column_map import parse_map
from clickloop.cli.importing.delivery import MAX_BYTES, MAX_DOCUMENTS, OutgoingDocument, RefusedRow
from clickloop.cli.importing.formats.json_lines import JsonLines
from clickloop.cli.importing.importer import Import
from foundation.errors import FieldFault, InvalidRequest, NotReady


class Service:
    """Takes batches but the document "bad"; goes away after `retry` of them."""

    def __init__(self, retry: int = 10**9) -> None:
        self.batches: list[list[str]] = []
        self.documents: dict[str, Any] = {}
        self.retry = retry

    def send(self, batch: Sequence[OutgoingDocument]) -> tuple[Counter[str], list[RefusedRow]]:
        if len(self.batches) == self.retry:
            raise NotReady("gone")
        self.batches.append([document.id for document in batch])
        good = [document for document in batch if document.id != "bad"]
        self.documents |= {document.id: json.loads(document.line) for document in good}
        bad = [RefusedRow(one.place, one.id, (FieldFault("id", "is bad"),)) for one in batch if one not in good]
        return Counter(created=len(good)), bad


def write(folder: Path, *documents: object) -> Path:
    file = folder / "a.jsonl"
    file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in documents))
    return file


def numbered(count: int, text: str = "t") -> list[dict[str, str]]:
    return [{"id": f"d{number}", "text": text} for number in range(count)]


def importing(file: Path, service: Service, **options: Any) -> tuple[Import, list[str]]:
    told: list[str] = []
    run = Import(JsonLines(file), parse_map([]), service.send, lambda one: told.append(str(one)), **options)
    return run, told


def test_good_rows_are_taken_and_bad_ones_named(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"id": "a", "title": "A", "n": 1},
        {"title": "no id"},
        "{",
        {"id": "a", "text": "again"},
        {"id": "bad", "text": "t"},
        {"id": "empty"},
        {"id": 7, "text": "t", "fields": {"m": 2}},
    )
    service = Service()
    run, told = importing(file, service)
    assert run.run() == ImportTally(rows=7, created=2, refused=5)
    assert service.documents == {
        "a": {"id": "a", "title": "A", "text": "", "url": "", "fields": {"n": 1}},
        "7": {"id": "7", "title": "", "text": "t", "url": "", "fields": {"m": 2}},
    }
    assert told[0] == "a.jsonl line 2: id is missing"
    assert told[1].startswith("a.jsonl line 3: row is not JSON")
    assert told[2] == "a.jsonl line 4 (a): id appears a second time"
    assert told[3].startswith("a.jsonl line 6 (empty): text must not be empty")
    assert told[4] == "a.jsonl line 5 (bad): id is bad"


def test_batches_are_limited_in_count_and_bytes(tmp_path: Path) -> None:
    service = Service()
    importing(write(tmp_path, *numbered(2 * MAX_DOCUMENTS + 1)), service)[0].run()
    assert [len(batch) for batch in service.batches] == [MAX_DOCUMENTS, MAX_DOCUMENTS, 1]
    service = Service()
    importing(write(tmp_path, *numbered(5, "x" * (MAX_BYTES // 2 - 100))), service)[0].run()
    assert [len(batch) for batch in service.batches] == [2, 2, 1]


def test_an_interrupted_import_goes_on_where_it_ended(tmp_path: Path) -> None:
    documents: list[object] = [*numbered(1200)]
    documents[3] = {"id": "bad", "text": "t"}
    documents[4] = "{"
    file = write(tmp_path, *documents)
    first = Service(retry=2)
    run, told = importing(file, first, checkpoint=Checkpoint(tmp_path / "home", {}, [file], ImportTally()))
    with pytest.raises(NotReady):
        run.run()
    assert len(told) == 2
    second = Service()
    run, told = importing(file, second, checkpoint=Checkpoint(tmp_path / "home", {}, [file], ImportTally()))
    assert run.tally.rows == 1001
    assert run.run() == ImportTally(rows=1200, created=1198, refused=2)
    assert told == []
    assert len(first.documents | second.documents) == 1198
    assert second.batches[0][0] == "d1001"
    assert len(run.ids) == 1199
    assert Checkpoint(tmp_path / "home", {}, [file], ImportTally()).load() == ImportTally()


def test_a_strict_import_ends_at_the_first_bad_row(tmp_path: Path) -> None:
    file = write(tmp_path, {"id": "a", "text": "t"}, {"id": "b"}, {"id": "c", "text": "t"})
    with pytest.raises(InvalidRequest, match=r"a.jsonl line 2 \(b\): text must not be empty.*--strict"):
        importing(file, Service(), strict=True)[0].run()


def test_an_empty_source_is_no_trouble(tmp_path: Path) -> None:
    service = Service()
    assert importing(write(tmp_path), service)[0].run() == ImportTally()
    assert service.batches == []
