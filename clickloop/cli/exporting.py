"""Writes the documents of a collection to a file, page by page as the service gives them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from foundation.disk.files import whole_file
from foundation.errors import Conflict, InvalidRequest
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
"""How the names of files of JSON Lines end."""

_AT_ONCE = 500
_NAMED = ("title", "text", "url")


def read_pages(service: ServiceClient, retry: RetryPolicy, path: str, at_once: int = _AT_ONCE) -> Iterator[Any]:
    """Yield the pages of a list that the service gives in parts, each with `next`, which is null on the last."""
    after: str | None = ""
    while after is not None:
        query = urlencode({"after": after, "limit": at_once})
        page = retry.ask(partial(service.get, f"{path}?{query}"))
        yield page
        after = page["next"]


@contextmanager
def new_file(to: Path) -> Iterator[Path]:
    """Give a file to write to, which appears as `to` whole or not at all; Conflict when that is there already."""
    if to.exists():
        raise Conflict(f"{to} is there already; delete it or choose another name")
    to.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(to, durable=True) as draft:
        yield draft


def write_lines(values: Iterable[dict[str, Any]], file: Path) -> int:
    """Write one JSON object a line, packed when the name ends in `.gz`; return how many they are."""
    count = 0
    with gzip.GzipFile(file, "wb") if file.suffix.lower() == ".gz" else file.open("wb") as lines:
        for value in values:
            lines.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def stored_documents(service: ServiceClient, retry: RetryPolicy) -> Iterator[dict[str, Any]]:
    """Yield the documents of a collection by id, each once.

    What is stored or deleted meanwhile is met where its id is still to come.
    """
    for page in read_pages(service, retry, "/v1/documents"):
        yield from page["documents"]


def export_documents(documents: Iterable[dict[str, Any]], to: Path) -> tuple[Path, int]:
    """Write documents; return the file they are in and how many they are.

    A name that ends in `.jsonl` or `.ndjson`, also with `.gz`, is the file: one document a line in
    the form that the service takes. Any other name is a folder, whose `corpus.jsonl` is in BEIR's
    form. The file appears whole or not at all.

    Raises:
        Conflict: The file is there already.
        InvalidRequest: A document has a field that BEIR's form has another use for.
    """
    in_file = to.name.lower().endswith(JSON_LINES)
    file = to if in_file else to / "corpus.jsonl"
    with new_file(file) as draft:
        return file, write_lines(map(_plain_line if in_file else _beir_line, documents), draft)


def _plain_line(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("id", *_NAMED, "fields")}


def _beir_line(document: dict[str, Any]) -> dict[str, Any]:
    taken = sorted(document["fields"].keys() & {"_id", "id", "fields", *_NAMED})
    if taken:
        raise InvalidRequest(
            f"document {document['id']!r} has a field {taken[0]!r}, which BEIR's form has another use for; "
            "export to a .jsonl file"
        )
    return {"_id": document["id"], **{name: document[name] for name in _NAMED}, **document["fields"]}
