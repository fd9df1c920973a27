"""Where a list goes on: an opaque text that the client sends back, and the service keeps nothing."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.arrays import Ints
from foundation.errors import FieldFault, InvalidRequest
from foundation.ids import digest_json

MAX_CHARACTERS = 16_000
_MAX_BYTES = 64_000
_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a list has been read.

    Attributes:
        digest: Of what is asked for; a cursor goes on with the same list only.
        query_id: That of the first page.
        head: Keys of the documents that the list begins with, in their order.
        shown: How many results stand on the pages before.
        place: How many of the head are behind.
        after: What the last document behind the head is sorted by, and its key; None before the first one.
    """

    digest: str
    query_id: str = ""
    head: tuple[int, ...] = ()
    shown: int = 0
    place: int = 0
    after: tuple[list[Any], int] | None = None

    @property
    def keys(self) -> Ints:
        """The keys of the head as an array."""
        return np.array(self.head, np.int64)

    def write(self) -> str:
        """Return the cursor as a text of letters, digits, `-` and `_`."""
        body = [self.digest, self.query_id, list(self.head), self.shown, self.place, self.after]
        return base64.urlsafe_b64encode(zlib.compress(json.dumps(body).encode())).decode().rstrip("=")


def digest_of(*asked: Any) -> str:
    """Return a digest of what a list is of, given as JSON values."""
    return digest_json(list(asked))[:_DIGEST_DIGITS]


def read_cursor(text: str, digest: str) -> Cursor:
    """Return the cursor that `write` wrote.

    Raises:
        InvalidRequest: It is none, or that of another list.
    """
    try:
        inflated = zlib.decompressobj()
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        told, query_id, head, shown, place, after = json.loads(inflated.decompress(packed, _MAX_BYTES))
        cursor = Cursor(
            str(told),
            str(query_id),
            tuple(int(key) for key in head),
            max(0, int(shown)),
            max(0, int(place)),
            None if after is None else (list(after[0]), int(after[1])),
        )
        np.array([*cursor.head, cursor.after[1] if cursor.after else 0], np.int64)
    except (ValueError, TypeError, OverflowError, IndexError, KeyError, zlib.error, binascii.Error) as problem:
        raise _refusal("is none that this service gave") from problem
    if cursor.digest != digest:
        raise _refusal("is of another query, filter, order or collection; begin anew with *")
    return cursor


def _refusal(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the cursor {reason}", (FieldFault("cursor", reason),))
