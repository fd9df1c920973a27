"""How large a record of the log may be: one bound for both logs, and for the edges that take lists (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from foundation.contracts import ShownResult
from foundation.ids import canonical_json

MAX_RECORD_BYTES = 900_000
"""Largest body of a record in UTF-8, below what Kafka's producer and brokers take by default."""

MAX_LIST_BYTES = MAX_RECORD_BYTES - 20_000
"""Largest list in the record of an impression; the rest of the record always fits beside it."""


def list_fault(results: Sequence[ShownResult]) -> str:
    """Return why a list of results is too large to be kept, "" when it is not."""
    size = len(canonical_json([asdict(result) for result in results]).encode(errors="surrogatepass"))
    if size <= MAX_LIST_BYTES:
        return ""
    return f"would be kept as {size} bytes, at most {MAX_LIST_BYTES} can be: send fewer or shorter ids"
