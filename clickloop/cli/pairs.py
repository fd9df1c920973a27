"""Writes the pairs of a collection to a file, page by page as the service gives them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from clickloop.cli.exporting import JSON_LINES, new_file, read_pages, write_lines
from foundation.errors import InvalidRequest, NotFound, needs_extra
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


def labelled_pairs(service: ServiceClient, retry: RetryPolicy) -> Iterator[dict[str, Any]]:
    """Yield the pairs of a collection by query and document, each once, with `COLUMNS`.

    Raises:
        NotFound: Feedback never came for the collection.
    """
    is_fed = False
    for page in read_pages(service, retry, "/v1/reports/pairs", _AT_ONCE):
        yield from page["pairs"]
        is_fed = is_fed or bool(page["pairs"] or page["rare"])
    if not is_fed:
        _check_fed(service, retry)


def _check_fed(service: ServiceClient, retry: RetryPolicy) -> None:
    if not retry.ask(partial(service.get, _ANY_SEARCH))["searches"]:
        there = ", ".join(retry.ask(partial(service.get, "/readyz"))["collections"]) or "none"
        raise NotFound(f"feedback never came for collection {service.collection!r}; collections served: {there}")


def export_pairs(pairs: Iterable[dict[str, Any]], to: Path) -> int:
    """Write pairs to a .jsonl (also .gz), .csv or .parquet file and return how many they are.

    In CSV, the sources are separated by spaces. The file appears whole or not at all.

    Raises:
        Conflict: The file is there already.
        InvalidRequest: Its name ends otherwise.
        MissingExtra: Parquet needs the extra `parquet`.
    """
    write = _writer(to)
    with new_file(to) as draft:
        return write(iter(pairs), draft)


def _writer(to: Path) -> Write:
    name = to.name.lower()
    if name.endswith(JSON_LINES):
        return write_lines
    if name.endswith(".csv"):
        return _write_csv
    if name.endswith(".parquet"):
        with needs_extra("parquet", f"--to {to.name}"):
            import_module("pyarrow")  # so that it is missed before anything is read
        return _write_parquet
    raise InvalidRequest(f"{to.name} names no format; let it end in .jsonl, .jsonl.gz, .csv or .parquet")


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
