"""The durable log between the edges and the collector: publish, then consume exactly once.

`foundation.eventlog.embedded` keeps records in the SQL database; `foundation.eventlog.kafka` speaks to Kafka.
Both promise the same. A record whose append has finished is durable. A subscription reads records in order. Its
position moves in the transaction that holds the effect of what it read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from foundation.errors import RecordTooLarge, StoreAway
from foundation.eventlog.sizes import MAX_RECORD_BYTES

FEEDBACK_TOPIC = "feedback"
STORE = "event log"
APPEND_LIMIT_S = 1.5
"""Longest wait of a request for what it appended."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log.

    Attributes:
        key: Records of one key keep their order.
        body: JSON text.
        position: Where it stands in its partition; given by the log.
    """

    key: str
    body: str
    position: int = 0
    partition: int = 0


class Subscription(Protocol):
    """One consumer's place in the log. Used by one thread."""

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Return the next records, waiting at most `timeout_s` for a first one."""

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Move past `records` inside the caller's transaction; nothing moves if it rolls back.

        If it does roll back, the same records come again from `poll`.
        """

    def lag(self) -> int:
        """Return how many records are waiting."""

    def progress(self) -> int:
        """Return the sum of the committed positions: it grows with every batch, and falls when a log began anew."""

    def rewind(self) -> None:
        """Read again from the committed position, after a transaction was rolled back."""

    def close(self) -> None:
        """Leave the log."""


class EventLog(Protocol):
    """Where feedback is durable first."""

    @property
    def away(self) -> bool:
        """Whether appends fail or stall, as far as is known; asks nothing. It ends by itself when the log is back."""

    def problems(self) -> list[str]:
        """Return the same as sentences."""

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Append all records or none; the future is done when they are durable. Never blocks.

        Whoever has waited long enough cancels the future: what is not on its way by then is not appended.

        Raises:
            RecordTooLarge: A record is larger than `MAX_RECORD_BYTES`; nothing was appended.
            StoreAway: The log is away; nothing was appended.
            Overloaded: Too many appends are waiting; nothing was appended.
        """

    def subscribe(self, consumer: str) -> Subscription:
        """Return the place of a named consumer; the same name goes on where it stopped."""

    def forget(self, collection: str, text: str) -> int:
        """Delete what waits of a collection and holds `text`; returns how many records.

        A log whose records cannot be deleted one by one deletes none and returns 0.
        """

    def close(self) -> None:
        """Finish the appends under way and stop."""


def check_sizes(records: Sequence[Record]) -> None:
    """Raise RecordTooLarge when one of `records` is too large for any log."""
    for record in records:
        size = len(record.body.encode())
        if size > MAX_RECORD_BYTES:
            raise RecordTooLarge(f"a record may have {MAX_RECORD_BYTES} bytes, one has {size}; nothing was taken")


def await_append(done: Future[None], limit_s: float) -> None:
    """Wait until an append is durable, at most `limit_s`; then it is withdrawn, unless it is just being written.

    Raises:
        StoreAway: It is not durable in time, or cannot be.
    """
    try:
        done.result(limit_s)
    except TimeoutError:
        if not done.cancel() and done.done():
            done.result()
            return
        raise StoreAway("the event log did not take this in time; send it again, it counts once") from None
