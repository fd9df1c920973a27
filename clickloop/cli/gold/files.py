"""Judgments in files: a sheet to fill in, and the qrels of TREC."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from clickloop.cli.exporting import new_file
from foundation.errors import InvalidRequest, NotFound

COLUMNS = ("query", "document_id", "title", "snippet", "grade")
QUERIES, QRELS = "queries.tsv", "qrels.txt"

Judged = dict[str, Any]
"""`query`, `document_id` and `grade`, as the service takes them."""


def write_sheet(queries: Iterable[dict[str, Any]], to: Path) -> int:
    """Write sampled queries as CSV with an empty column `grade`; return how many lines there are to fill in.

    Raises:
        Conflict: The file is there already.
    """
    lines = [
        (one["query"], document["id"], document["title"], document["snippet"], "")
        for one in queries
        for document in one["documents"]
    ]
    with new_file(to) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
    return len(lines)


def read_judgments(source: Path) -> list[Judged]:
    """Return the judgments of a sheet, whose lines without a grade are left out, or of a folder as `write_trec` makes.

    Raises:
        NotFound: A file is missing.
        InvalidRequest: A line cannot be read; the message names it.
    """
    found = list(_read_trec(source) if source.is_dir() else _read_sheet(source))
    if not found:
        raise InvalidRequest(f"{source} holds no grade")
    return found


def write_trec(judgments: Iterable[Judged], folder: Path) -> int:
    """Write judgments as `queries.tsv` (number, text) and `qrels.txt` (number, 0, document, grade); return the queries.

    Raises:
        Conflict: One of the files is there already.
        InvalidRequest: The id of a document has white space, which TREC's form cannot hold.
    """
    numbers: dict[str, int] = {}
    lines = []
    for one in judgments:
        number = numbers.setdefault(" ".join(one["query"].split()), len(numbers) + 1)
        if one["document_id"].split() != [one["document_id"]]:
            raise InvalidRequest(f"document {one['document_id']!r} has white space in its id, which qrels cannot hold")
        lines.append(f"{number} 0 {one['document_id']} {one['grade']}\n")
    with new_file(folder / QUERIES) as draft:
        draft.write_text("".join(f"{number}\t{text}\n" for text, number in numbers.items()), encoding="utf-8")
    with new_file(folder / QRELS) as draft:
        draft.write_text("".join(lines), encoding="utf-8")
    return len(numbers)


def _read_sheet(file: Path) -> Iterator[Judged]:
    with _open(file) as lines:
        reader = csv.DictReader(lines)
        if missing := {"query", "document_id", "grade"} - set(reader.fieldnames or ()):
            raise InvalidRequest(f"{file} lacks the column {min(missing)!r}")
        for row in reader:
            if grade := (row["grade"] or "").strip():
                yield _judged(row["query"], row["document_id"], grade, f"{file}, line {reader.line_num}")


def _read_trec(folder: Path) -> Iterator[Judged]:
    texts = dict(_read_queries(folder / QUERIES))
    with _open(folder / QRELS) as lines:
        for number, line in enumerate(lines, start=1):
            place, parts = f"{folder / QRELS}, line {number}", line.split()
            if not parts:
                continue
            if len(parts) != 4:
                raise InvalidRequest(f"{place}: a query's number, 0, a document and a grade are expected")
            if parts[0] not in texts:
                raise InvalidRequest(f"{place}: {folder / QUERIES} has no query {parts[0]!r}")
            yield _judged(texts[parts[0]], parts[2], parts[3], place)


def _read_queries(file: Path) -> Iterator[tuple[str, str]]:
    with _open(file) as lines:
        for number, line in enumerate(lines, start=1):
            name, tab, text = line.rstrip("\n").partition("\t")
            if not tab:
                raise InvalidRequest(f"{file}, line {number}: a number, a tab and the query are expected")
            yield name, text


def _judged(query: str, document_id: str, grade: str, place: str) -> Judged:
    try:
        value = int(grade)
    except ValueError:
        raise InvalidRequest(f"{place}: the grade {grade[:20]!r} is no whole number") from None
    return {"query": query, "document_id": document_id, "grade": max(value, 0)}


def _open(file: Path) -> Any:
    if not file.is_file():
        raise NotFound(f"{file} is not there")
    return file.open(encoding="utf-8-sig", newline="")
