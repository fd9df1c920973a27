"""The name of a source says its format."""

from __future__ import annotations

from pathlib import Path

import pytest

from clickloop.cli.importing.formats.detection import open_source
from clickloop.cli.importing.formats.source import TableForm
from foundation.errors import InvalidRequest, NotFound


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", "id\n", "Delimited"),
        ("A.TSV", "id\n", "Delimited"),
        ("a.jsonl", "", "JsonLines"),
        ("a.ndjson.gz", "", "JsonLines"),
        ("a.json", "[]", "JsonArray"),
        ("d/corpus.jsonl", "", "JsonLines"),
        ("d/a.md", "", "PageFolder"),
    ],
)
def test_the_name_decides(tmp_path: Path, name: str, content: str, kind: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    source = open_source(file.parent if name.startswith("d/") else file, TableForm())
    assert type(source).__name__ == kind


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.parquet.gz"])
def test_an_unknown_format_is_told_what_is_known(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InvalidRequest, match=r"format of .* is not known; take \.csv"):
        open_source(tmp_path / name, TableForm())


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nothing\.csv"):
        open_source(tmp_path / "nothing.csv", TableForm())


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "."])
def test_an_option_of_csv_is_refused_for_other_formats(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "a.json").touch()
    with pytest.raises(InvalidRequest, match=r"--encoding is for \.csv"):
        open_source(tmp_path / name, TableForm(encoding="latin-1"))
