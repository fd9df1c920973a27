"""What texts, queries, names and ids may hold, wherever they come in."""

from __future__ import annotations

import re
from typing import Any, Literal

from foundation.contracts import query_key

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which are no characters."""

MAX_QUERY_BYTES = 1500
"""Evidence is found by a query's text, and PostgreSQL indexes no longer ones."""

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_SPACES = str.maketrans("\v\f", "  ")

Language = Literal[
    "none",
    "arabic",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
]
"""Of the Snowball stemmers; "none" takes words as they are written."""


def as_id(value: Any) -> Any:
    """Return a whole number as the text that it is kept as; anything else, true and false too, as it is."""
    return str(value) if type(value) is int else value


def spaced(text: str) -> str:
    """Return a text with a space for each form feed and vertical tab, as exports of old documents hold them."""
    return text.translate(_SPACES)


def query_fault(query: str) -> str:
    """Return why a query's text cannot be kept, "" when it can.

    Evidence is found by the folded text, and folding may make three characters of one, so both forms must fit.
    """
    if _NOT_STORABLE.search(query):
        return "must not hold NUL or half of a surrogate pair"
    length, folded = len(query.encode()), len(query_key(query).encode())
    if max(length, folded) <= MAX_QUERY_BYTES:
        return ""
    grown = f" ({folded} when its letters are folded)" if length <= MAX_QUERY_BYTES else ""
    return f"must have at most {MAX_QUERY_BYTES} bytes of UTF-8, has {length}{grown}; evidence is found by it"
