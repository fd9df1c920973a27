"""What a page sends as an id when it sends a variable that was never set (pure)."""

from __future__ import annotations

_UNSET = frozenset({"undefined", "null", "[object object]", "nan", "none", "nil"})


def is_unset(id_: str) -> bool:
    """Return whether an id is the text of a variable without a value, in whatever language the app is written."""
    return id_.strip().lower() in _UNSET
