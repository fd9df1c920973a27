"""Identifiers and digests."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

BY_CONTENT = "by-content-"
"""How ids begin that are made of an event's content, a user's id among it; they are not kept as they are."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def new_id(at: datetime) -> str:
    """Return a UUIDv7 (RFC 9562) whose time part is `at`, as 36 characters.

    Ids made at later milliseconds sort after earlier ones, as text too.
    """
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (2**62 - 1)
    return str(uuid.UUID(int=value))


def time_of(id_: str) -> datetime:
    """Return the time part of an id that `new_id` made.

    Raises:
        ValueError: It is no UUID.
    """
    return datetime.fromtimestamp((uuid.UUID(id_).int >> 80) / 1000, UTC)


def digest_bytes(content: bytes) -> str:
    """Return the sha256 of `content` as 64 hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """Return the sha256 of `value` in canonical JSON: sorted keys, no spaces, UTF-8."""
    return digest_bytes(canonical_json(value).encode())


def digest_lines(values: Iterable[Any]) -> str:
    """Return the sha256 of values in canonical JSON, each on a line of its own; they are taken one by one."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(f"{canonical_json(value)}\n".encode())
    return digest.hexdigest()


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, no spaces and no NaN."""
    return _CANONICAL.encode(value)
