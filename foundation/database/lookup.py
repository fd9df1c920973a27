"""Finds rows by many keys at once, by index on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int = 500) -> Iterator[Sequence[Item]]:
    """Cut into parts that fit the databases' limit of bound values."""
    return (items[start : start + size] for start in range(0, len(items), size))


def keys_as_rows(
    connection: sa.Connection, columns: Sequence[sa.ColumnElement[Any]], keys: Sequence[tuple[Any, ...]]
) -> sa.CTE:
    """Return `keys` as rows to join a table with; their columns are named and typed as `columns`.

    The keys travel as one JSON value. So the statement is the same whatever their number: it is compiled once, and no
    limit of bound values applies. The join uses an index, where SQLite would scan the table for
    `(a, b) IN (VALUES ...)`. Keys may hold moments.
    """
    dialect = connection.dialect.name
    return rows_of_keys(dialect, columns, sa.literal(keys_as_json(dialect, keys), sa.Text))


def keys_as_json(dialect: str, keys: Sequence[tuple[Any, ...]]) -> str:
    """Return keys as the JSON value that `rows_of_keys` takes."""
    return json.dumps(keys, default=_zoned if dialect == "postgresql" else _as_sqlite_stores)


def rows_of_keys(dialect: str, columns: Sequence[sa.ColumnElement[Any]], value: sa.ColumnElement[str]) -> sa.CTE:
    """Return the same as `keys_as_rows` of a value that may be bound later: for a statement that is made once."""
    parts: list[sa.ColumnElement[Any]]
    if dialect == "postgresql":
        elements = sa.func.json_array_elements(sa.cast(value, sa.JSON)).table_valued(sa.column("value", sa.JSON))
        texts = [sa.func.json_extract_path_text(elements.c.value, str(place)) for place in range(len(columns))]
        parts = [sa.cast(text, column.type) for text, column in zip(texts, columns, strict=True)]
    else:
        elements = sa.func.json_each(value).table_valued(sa.column("value", sa.Text))
        parts = [sa.func.json_extract(elements.c.value, f"$[{place}]") for place in range(len(columns))]
    labelled = [part.label(column.key) for part, column in zip(parts, columns, strict=True)]
    return sa.select(*labelled).cte("wanted")


def _zoned(moment: datetime) -> str:
    return moment.isoformat()


def _as_sqlite_stores(moment: datetime) -> str:
    """Return a moment as SQLAlchemy writes it to SQLite, which compares texts."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
