"""What a query's text may be: one check for every edge that takes one and for the log that keeps it."""

from __future__ import annotations

import re

from foundation.contracts import query_key

MAX_QUERY_BYTES = 1500
"""Evidence is found by a query's text, and PostgreSQL indexes no longer ones."""

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


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
