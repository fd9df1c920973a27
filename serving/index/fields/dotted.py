"""The open fields of a document by their dotted names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from serving.index.fields.values import MAX_KEYWORD_CHARACTERS


def keywords_of(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the keywords of a document by the name of their field, as a table would read them."""
    found: dict[str, list[str]] = {}
    for name, items in flatten(fields):
        if texts := [item for item in items if isinstance(item, str) and len(item) <= MAX_KEYWORD_CHARACTERS]:
            found.setdefault(name, []).extend(texts)
    return found


def flatten(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield every field by its dotted name with what it holds, nulls left out; objects themselves too."""
    for key, value in fields.items():
        name = f"{prefix}{key}"
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, dict):
                yield from flatten(item, f"{name}.")
        yield name, [item for item in items if item is not None]
