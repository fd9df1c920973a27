"""Query ids that only this installation can issue.

An id is a UUIDv7 (RFC 9562) whose last 40 bits are an HMAC-SHA256 of the collection and the rest of it. It looks like
any other. A guess is right once in 2^40 times. The 34 random bits that remain keep two searches of the same
millisecond apart.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from foundation.ids import new_id

_TAG_DIGITS = 10
_ID_LENGTH = 36


class QueryIds:
    """Issues query ids and knows its own from others. Takes microseconds; safe to use from many threads.

    Args:
        secret: The same in every process of an installation.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, collection: str, at: datetime) -> str:
        """Return a new id for a search of `collection`; later milliseconds sort after earlier ones."""
        rest = new_id(at)[:-_TAG_DIGITS]
        return rest + self._tag(collection, rest)

    def issued(self, collection: str, query_id: str) -> bool:
        """Return whether an id was issued here, for this collection."""
        if len(query_id) != _ID_LENGTH or not query_id.isascii():
            return False
        rest, tag = query_id[:-_TAG_DIGITS], query_id[-_TAG_DIGITS:]
        return hmac.compare_digest(tag, self._tag(collection, rest))

    def _tag(self, collection: str, rest: str) -> str:
        return hmac.digest(self._secret, f"{collection}/{rest}".encode(), "sha256").hex()[:_TAG_DIGITS]
