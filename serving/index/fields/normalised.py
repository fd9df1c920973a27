"""Fields of documents as columns that a fusion weighs: each value beside those of a query's other candidates.

A number or a date becomes its rank among the candidates, from -1 for the smallest to 1 for the largest, so neither unit
nor scale matters; a frequent keyword or a truth value becomes a column of its own, 1 where a document has it. Where a
document has no value all of these are 0, and a column of its own says that it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import numpy as np

from foundation.arrays import Doubles, Flags, Floats, Ints
from serving.index.fields.table import FieldTable

NUMBER, VALUE, MISSING = "number:", "value:", "missing:"
"""How the names of columns begin; then comes the field, of a value the value behind an equals sign."""

_MIN_SHARE = 0.01
"""Share of the documents that must have a value for a column of its own."""


def is_of_fields(name: str) -> bool:
    """Return whether the name of a feature is that of such a column."""
    return name.startswith((NUMBER, VALUE, MISSING))


def name_columns(table: FieldTable, wanted: Mapping[str, int], rows: Ints) -> tuple[str, ...]:
    """Return the columns that some fields have.

    Args:
        wanted: By field, how many of its values get a column at most.
        rows: The present documents.
    """
    names: list[str] = []
    for field, values in sorted(wanted.items()):
        kind = table.types.get(field)
        if kind is None:
            continue
        if kind in {"number", "date"}:
            names.append(f"{NUMBER}{quote(field)}")
        else:
            counted = table.count(field, rows, values)
            often = [value for value, count in counted if count >= _MIN_SHARE * len(rows)]
            names += [f"{VALUE}{quote(field)}={_write(value)}" for value in often]
        names.append(f"{MISSING}{quote(field)}")
    return tuple(names)


def normalise(table: FieldTable, rows: Ints, names: Sequence[str]) -> Floats:
    """Return columns of some rows, float32 of shape (len(rows), len(names)); of a field that is gone all are 0."""
    columns = [_column(table, rows, name) for name in names]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((len(rows), 0), np.float32)


def _column(table: FieldTable, rows: Ints, name: str) -> Doubles | Flags:
    told = name.partition(":")[2]
    field, _, value = told.partition("=")
    field = unquote(field)
    if name.startswith(NUMBER):
        return rank_evenly(table.numbers(field, rows))
    if field not in table.types:
        return np.zeros(len(rows))
    if name.startswith(MISSING):
        return ~table.known(field, rows)
    kind = table.types[field]
    return table.holds(field, value == "true" if kind == "boolean" else value, rows)


def rank_evenly(values: Doubles) -> Doubles:
    """Return the place of each number among all, from -1 to 1, equal ones at one place; 0 for what is none."""
    placed = np.zeros(len(values))
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > 1:
        distinct, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        if len(distinct) > 1:
            middle = np.cumsum(counts) - (counts + 1) / 2
            placed[known] = 2 * middle[inverse] / (len(known) - 1) - 1
    return placed


def _write(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
