"""Judgments in files: the sheet that people fill in, and TREC's form."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from clickloop.cli.gold.files import read_judgments, write_sheet, write_trec
from foundation.errors import ClickloopError, Conflict, InvalidRequest, NotFound

SAMPLED = [
    {"query": "a, b", "documents": [{"id": "d1", "title": 'say "so"', "snippet": "two\nlines"}]},
    {"query": "c", "documents": [{"id": "d2", "title": "", "snippet": ""}, {"id": "d3", "title": "", "snippet": ""}]},
]


def fill(sheet: Path, grades: list[str]) -> None:
    with sheet.open(newline="") as file:
        heading, *rows = csv.reader(file)
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows([heading, *([*row[:-1], grade] for row, grade in zip(rows, grades, strict=True))])


def test_a_sheet_comes_back_with_its_grades_and_without_empty_ones(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    assert write_sheet(SAMPLED, sheet) == 3
    fill(sheet, ["3", "", "0"])
    assert read_judgments(sheet) == [
        {"query": "a, b", "document_id": "d1", "grade": 3},
        {"query": "c", "document_id": "d3", "grade": 0},
    ]


def test_a_sheet_is_not_written_over_another(tmp_path: Path) -> None:
    write_sheet(SAMPLED, tmp_path / "sheet.csv")
    with pytest.raises(Conflict):
        write_sheet(SAMPLED, tmp_path / "sheet.csv")


def test_qrels_come_back_as_they_went(tmp_path: Path) -> None:
    judged = [
        {"query": "how to é", "document_id": "d1", "grade": 2},
        {"query": "how to é", "document_id": "d2", "grade": 0},
        {"query": "other", "document_id": "d1", "grade": 1},
    ]
    assert write_trec(judged, tmp_path / "gold") == 2
    assert read_judgments(tmp_path / "gold") == judged


def test_grades_below_zero_as_trec_has_them_count_as_zero(tmp_path: Path) -> None:
    (tmp_path / "queries.tsv").write_text("1\tone\n")
    (tmp_path / "qrels.txt").write_text("1 0 d1 -2\n\n1 Q0 d2 1\n")
    assert [one["grade"] for one in read_judgments(tmp_path)] == [0, 1]


@pytest.mark.parametrize(
    ("queries", "qrels", "said"),
    [
        ("1\tone\n", "2 0 d1 1\n", "no query '2'"),
        ("1\tone\n", "1 0 d1\n", "line 1"),
        ("1\tone\n", "1 0 d1 high\n", "'high' is no whole number"),
        ("one\n", "1 0 d1 1\n", "queries.tsv, line 1"),
        ("1\tone\n", "", "holds no grade"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, queries: str, qrels: str, said: str) -> None:
    (tmp_path / "queries.tsv").write_text(queries)
    (tmp_path / "qrels.txt").write_text(qrels)
    with pytest.raises(InvalidRequest, match=said):
        read_judgments(tmp_path)


def test_a_missing_file_and_a_missing_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not there"):
        read_judgments(tmp_path / "nothing.csv")
    (tmp_path / "sheet.csv").write_text("query,grade\na,1\n")
    with pytest.raises(InvalidRequest, match="document_id"):
        read_judgments(tmp_path / "sheet.csv")


def test_an_id_that_qrels_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClickloopError, match="white space"):
        write_trec([{"query": "q", "document_id": "two words", "grade": 1}], tmp_path / "gold")
