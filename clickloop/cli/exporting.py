"""Writes the documents of a collection to a file, page by page as the service gives them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from foundation.disk.files import whole_file
from foundation.errors import Conflict, InvalidRequest
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

_AT_ONCE = 500
_FILES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_NAMED = ("title", "text", "url")


def stored_documents(remote: ServiceClient, retry: RetryPolicy) -> Iterator[dict[str, Any]]:
    """Yield the documents of the remote's collection by id, each once.

    What is stored or deleted meanwhile is met where its id is still to come.
    """
    after: str | None = ""
    while after is not None:
        path = f"/v1/documents?{urlencode({'after': after, 'limit': _AT_ONCE})}"
        page = retry.ask(partial(remote.get, path))
        yield from page["documents"]
        after = page["next"]


def export_documents(documents: Iterable[dict[str, Any]], to: Path) -> tuple[Path, int]:
    """Write documents; return the file they are in and how many they are.

    A name that ends in `.jsonl` or `.ndjson`, also with `.gz`, is the file: one document a line in
    the form that the service takes. Any other name is a folder, whose `corpus.jsonl` is in BEIR's
    form. The file appears whole or not at all.

    Raises:
        Conflict: The file is there already.
        InvalidRequest: A document has a field that BEIR's form has another use for.
    """
    in_file = to.name.lower().endswith(_FILES)
    file = to if in_file else to / "corpus.jsonl"
    if file.exists():
        raise Conflict(f"{file} is there already; delete it or choose another name")
    file.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with whole_file(file, durable=True) as draft, _opened(draft) as lines:
        for document in documents:
            line = _plain_line(document) if in_file else _beir_line(document)
            lines.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            count += 1
    return file, count


def _opened(file: Path) -> BufferedIOBase:
    return gzip.GzipFile(file, "wb") if file.suffix.lower() == ".gz" else file.open("wb")


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
