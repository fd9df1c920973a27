"""What a client may change of a document without sending the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.contracts import Document
from foundation.errors import FieldFault
from serving.catalog.submission import read_document

OWN = ("title", "text", "url")
"""Properties of the document itself; others are open fields."""


def lay_over(before: Document, patch: Mapping[str, Any]) -> Document | tuple[FieldFault, ...]:
    """Return a document with some properties changed, checked as a whole one is, or everything that is wrong with it.

    Args:
        patch: Properties by name, open ones in `fields` or beside it. What it does not name stays; None takes a
            property away.
    """
    inner = patch.get("fields") or {}
    if not isinstance(inner, dict):
        return (FieldFault("fields", "must be a JSON object"),)
    outer = {name: value for name, value in patch.items() if name not in {*OWN, "id", "fields"}}
    if twice := sorted(outer.keys() & inner.keys()):
        return tuple(FieldFault(f"fields.{name}", "is given beside `fields` too; send it once") for name in twice)
    changed = outer | inner
    fields = {name: value for name, value in (before.fields | changed).items() if changed.get(name, "") is not None}
    own = {name: patch.get(name, getattr(before, name)) for name in OWN}
    return read_document({"id": before.id, **own, "fields": fields})
