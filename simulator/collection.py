"""Judged collections: documents, queries, and which documents answer which query (BEIR form)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foundation.contracts import query_key
from foundation.errors import Conflict, InvalidRequest, NotFound
from foundation.ids import canonical_json, digest_bytes, digest_json
from foundation.texts import as_id

Judgments = dict[str, dict[str, int]]

_GRADE = re.compile(r"-?[0-9]{1,3}")


@dataclass(frozen=True)
class JudgedCollection:
    """Documents and judged queries.

    Attributes:
        documents: Dicts with `id`, `title`, `text`, `url` and `fields`, as the service takes them.
        queries: Query text by query id.
        qrels: Grades by split, query id and document id; 0 is not relevant. Queries of the split
            "train" may emit clicks; those of "test" never do. No query is in two splits.

    Raises:
        InvalidRequest: A query is judged in two splits.
    """

    documents: list[dict[str, Any]]
    queries: dict[str, str]
    qrels: dict[str, Judgments]

    def __post_init__(self) -> None:
        home: dict[str, str] = {}
        for split, judgments in self.qrels.items():
            for query in judgments:
                if home.setdefault(query, split) != split:
                    raise InvalidRequest(
                        f"query {query!r} is judged in {home[query]!r} and {split!r}; keep one of them"
                    )

    @cached_property
    def judgments(self) -> Judgments:
        """Grades by query id and document id over all splits."""
        return {query: grades for split in self.qrels.values() for query, grades in split.items()}

    @cached_property
    def max_grade(self) -> int:
        """The highest grade given, at least 1."""
        return max((grade for grades in self.judgments.values() for grade in grades.values()), default=1) or 1

    def split(self, name: str) -> Judgments:
        """Return the judgments of one split, sorted by query id.

        Raises:
            NotFound: The collection has no such split or it is empty.
        """
        if not self.qrels.get(name):
            raise NotFound(f"the collection has no {name!r} queries; it has {sorted(self.qrels)}")
        return dict(sorted(self.qrels[name].items()))


def unseen_share(query: str) -> float:
    """Return a stable number in [0, 1) that is equal for queries of the same words.

    Word order, case and punctuation do not matter, so that a phrase and its inversion fall on one
    side of a split: `unseen_share(text) < 0.3` says "test".
    """
    words = "".join(letter if letter.isalnum() else " " for letter in query.casefold()).split()
    return int(digest_json(sorted(set(words)) or query)[:12], 16) / 16**12


def split_queries(queries: dict[str, str], judgments: Judgments, test_share: float = 0.3) -> dict[str, Judgments]:
    """Return `judgments` in the splits "train" and "test", by words of the query text."""
    splits: dict[str, Judgments] = {"train": {}, "test": {}}
    for query, grades in judgments.items():
        splits["test" if unseen_share(queries[query]) < test_share else "train"][query] = grades
    return splits


def judge_phrases(documents: list[dict[str, Any]], answers: Iterable[tuple[str, str]], prefix: str) -> JudgedCollection:
    """Return a collection whose queries are phrases, each answered by the documents that it is paired with.

    Args:
        answers: Pairs of a phrase and a document's id; equal phrases are one query.
        prefix: Of the queries' ids.
    """
    queries: dict[str, str] = {}
    judgments: Judgments = {}
    for phrase, document in answers:
        query = prefix + digest_bytes(query_key(phrase).encode())[:12]
        queries.setdefault(query, phrase)
        judgments.setdefault(query, {})[document] = 1
    return JudgedCollection(documents, queries, split_queries(queries, judgments))


def read_beir(folder: Path) -> JudgedCollection:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/*.tsv` of a folder in BEIR form.

    Keys of a document beyond `_id`, `title`, `text` and `url` become its `fields`. Lines of `qrels`
    are query id, document id and grade between tabs; a heading line is allowed.

    Raises:
        NotFound: A file is missing.
        InvalidRequest: A line is wrong; the message names file and line.
    """
    documents = {name: _document(name, body, place) for name, body, place in _entries(folder / "corpus.jsonl")}
    queries = {name: _text(body, "text", place) for name, body, place in _entries(folder / "queries.jsonl")}
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise NotFound(f"{folder / 'qrels'} holds no .tsv file; train.tsv and test.tsv are expected there")
    qrels = {file.stem: _read_qrels(file, queries, documents) for file in files}
    return JudgedCollection(list(documents.values()), queries, qrels)


def write_beir(collection: JudgedCollection, folder: Path) -> None:
    """Write a collection to `folder` in BEIR form; the folder appears whole or not at all.

    Raises:
        Conflict: The folder is there already and not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; delete it or choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as scratch:
        part = Path(scratch) / folder.name
        _write_files(collection, part)
        part.replace(folder)


def cached(folder: Path, build: Callable[[], JudgedCollection]) -> JudgedCollection:
    """Return the collection kept in `folder`, building and keeping it there the first time."""
    if not (folder / "corpus.jsonl").exists():
        write_beir(build(), folder)
    return read_beir(folder)


def _entries(file: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    seen: set[str] = set()
    for line, place in _lines(file):
        body = _json_object(line, place)
        name = _text(body | {"_id": as_id(body.get("_id"))}, "_id", place)
        if not name or name in seen:
            raise InvalidRequest(f"{place}: the id {name!r} is empty or appears a second time")
        seen.add(name)
        yield name, body, place


def _json_object(line: str, place: str) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except ValueError as problem:
        raise InvalidRequest(f"{place}: not JSON ({problem})") from problem
    if not isinstance(body, dict):
        raise InvalidRequest(f"{place}: a JSON object is expected, not {type(body).__name__}")
    return body


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        raise NotFound(f"{file} is missing; a folder in BEIR form holds corpus.jsonl, queries.jsonl and qrels/")
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield line.rstrip("\r\n"), f"{file} line {number}"
    except UnicodeDecodeError as problem:
        raise InvalidRequest(f"{file}: not UTF-8 ({problem})") from problem


def _document(name: str, body: dict[str, Any], place: str) -> dict[str, Any]:
    given = {key: value for key, value in body.items() if value is not None or key == "text"}
    named = {key: _text({key: ""} | given, key, place) for key in ("title", "text", "url")}
    fields = {key: value for key, value in body.items() if key not in ("_id", "title", "text", "url")}
    return {"id": name, **named, "fields": fields}


def _text(body: dict[str, Any], key: str, place: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise InvalidRequest(f"{place}: {key!r} must be a text, not {value!r}")
    return value


def _read_qrels(file: Path, queries: Container[str], documents: Container[str]) -> Judgments:
    judgments: Judgments = {}
    for number, (line, place) in enumerate(_lines(file)):
        columns = line.split("\t")
        if number == 0 and not columns[-1].strip().lstrip("-").isdigit():
            continue
        query, document, grade = _judgment(columns, place)
        if query not in queries:
            raise InvalidRequest(f"{place}: query {query!r} is not in queries.jsonl")
        if document not in documents:
            raise InvalidRequest(f"{place}: document {document!r} is not in corpus.jsonl")
        judgments.setdefault(query, {})[document] = grade
    return judgments


def _judgment(columns: list[str], place: str) -> tuple[str, str, int]:
    if len(columns) != 3:
        raise InvalidRequest(f"{place}: three columns between tabs are expected, not {len(columns)}")
    query, document, grade = columns
    if not _GRADE.fullmatch(grade.strip()):
        raise InvalidRequest(f"{place}: the grade must be a whole number of at most three digits, not {grade[:40]!r}")
    return query, document, int(grade)


def _write_files(collection: JudgedCollection, folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True)
    _write_lines(folder / "corpus.jsonl", (_corpus_line(document) for document in collection.documents))
    queries = ({"_id": query, "text": text} for query, text in collection.queries.items())
    _write_lines(folder / "queries.jsonl", (canonical_json(query) for query in queries))
    for name, judgments in collection.qrels.items():
        _write_lines(folder / "qrels" / f"{name}.tsv", _qrels_lines(judgments))


def _corpus_line(document: dict[str, Any]) -> str:
    named = {key: document[key] for key in ("title", "text", "url")}
    return canonical_json({**document["fields"], "_id": document["id"], **named})


def _qrels_lines(judgments: Judgments) -> Iterator[str]:
    yield "query-id\tcorpus-id\tscore"
    for query, grades in judgments.items():
        for document, grade in grades.items():
            yield f"{query}\t{document}\t{grade}"


def _write_lines(file: Path, lines: Iterator[str]) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in lines)
