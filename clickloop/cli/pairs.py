"""Writes the pairs of a collection to a file, page by page as the service gives them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from foundation.disk.files import whole_file
from foundation.errors import Conflict, InvalidRequest, NotFound
from foundation.extras import needs_extra
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

COLUMNS = (
    "query",
    "document_id",
    "relevance",
    "uncertainty",
    "weight",
    "shown",
    "clicked",
    "users",
    "satisfied",
    "dissatisfied",
    "sources",
)

_AT_ONCE = 1000
_ANY_SEARCH = "/v1/reports/queries?days=3650&limit=1"

Write = Callable[[Iterator[dict[str, Any]], Path], int]


def labelled_pairs(remote: ServiceClient, retry: RetryPolicy) -> Iterator[dict[str, Any]]:
    """Yield the pairs of the remote's collection by query and document, each once, with `COLUMNS`.

    Raises:
        NotFound: Feedback never came for the collection.
    """
    after: str | None = ""
    is_fed = False
    while after is not None:
        path = f"/v1/reports/pairs?{urlencode({'after': after, 'limit': _AT_ONCE})}"
        page = retry.ask(partial(remote.get, path))
        yield from page["pairs"]
        is_fed = is_fed or bool(page["pairs"] or page["rare"])
        after = page["next"]
    if not is_fed:
        _check_fed(remote, retry)


def _check_fed(remote: ServiceClient, retry: RetryPolicy) -> None:
    if not retry.ask(partial(remote.get, _ANY_SEARCH))["searches"]:
        there = ", ".join(retry.ask(partial(remote.get, "/readyz"))["collections"]) or "none"
        raise NotFound(f"feedback never came for collection {remote.collection!r}; collections served: {there}")


def export_pairs(pairs: Iterable[dict[str, Any]], to: Path) -> int:
    """Write pairs to a .jsonl (also .gz), .csv or .parquet file and return how many they are.

    In CSV, the sources are separated by spaces. The file appears whole or not at all.

    Raises:
        Conflict: The file is there already.
        InvalidRequest: Its name ends otherwise.
        MissingExtra: Parquet needs the extra `parquet`.
    """
    write = _writer(to)
    if to.exists():
        raise Conflict(f"{to} is there already; delete it or choose another name")
    to.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(to, durable=True) as draft:
        return write(iter(pairs), draft)


def _writer(to: Path) -> Write:
    name = to.name.lower()
    if name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        return _write_lines
    if name.endswith(".csv"):
        return _write_csv
    if name.endswith(".parquet"):
        with needs_extra("parquet", f"--to {to.name}"):
            import pyarrow  # noqa: F401  only the extra `parquet` installs it; missed before anything is read
        return _write_parquet
    raise InvalidRequest(f"{to.name} names no format; let it end in .jsonl, .jsonl.gz, .csv or .parquet")


def _write_lines(pairs: Iterator[dict[str, Any]], file: Path) -> int:
    count = 0
    with gzip.open(file, "wb") if file.suffix.lower() == ".gz" else file.open("wb") as lines:
        for pair in pairs:
            lines.write(json.dumps(pair, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def _write_csv(pairs: Iterator[dict[str, Any]], file: Path) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        for pair in pairs:
            writer.writerow(pair | {"sources": " ".join(pair["sources"])})
            count += 1
    return count


def _write_parquet(pairs: Iterator[dict[str, Any]], file: Path) -> int:
    import pyarrow
    from pyarrow import parquet

    texts, numbers = pyarrow.string(), pyarrow.int64()
    types = [texts, texts, *[pyarrow.float64()] * 3, *[numbers] * 5, pyarrow.list_(texts)]
    schema = pyarrow.schema(list(zip(COLUMNS, types, strict=True)))
    count = 0
    with parquet.ParquetWriter(file, schema) as writer:
        while some := list(islice(pairs, _AT_ONCE)):
            writer.write_table(pyarrow.Table.from_pylist(some, schema))
            count += len(some)
    return count
