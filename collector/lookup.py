"""Finds rows by many composite keys in one statement, by index on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


def keys_as_rows(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], keys: Sequence[tuple[Any, ...]]
) -> sa.CTE:
    """Return `keys` as rows to join `table` with; their columns are named and typed as the table's.

    The keys travel as one JSON value: the statement stays the same whatever their number, so that it
    is compiled once, and no limit of bound values applies. A join with a list is found by index,
    where SQLite would scan the table for `(a, b) IN (VALUES ...)`.
    """
    value = sa.literal(json.dumps(keys), sa.Text)
    parts: list[sa.ColumnElement[Any]]
    if connection.dialect.name == "postgresql":
        elements = sa.func.json_array_elements(sa.cast(value, sa.JSON)).table_valued(sa.column("value", sa.JSON))
        texts = [sa.func.json_extract_path_text(elements.c.value, str(place)) for place in range(len(names))]
        parts = [sa.cast(text, table.c[name].type) for text, name in zip(texts, names, strict=True)]
    else:
        elements = sa.func.json_each(value).table_valued(sa.column("value", sa.Text))
        parts = [sa.func.json_extract(elements.c.value, f"$[{place}]") for place in range(len(names))]
    labelled = [part.label(name) for part, name in zip(parts, names, strict=True)]
    return sa.select(*labelled).cte("wanted")
