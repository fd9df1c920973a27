"""What an app can say about a list: one method for each type of event."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from datetime import datetime
from typing import TypedDict, Unpack

from clickloop.client.errors import QueueFull, Undelivered
from clickloop.client.outbox import Counts, Event, Outbox
from foundation.clock import SystemClock
from foundation.contracts import EventType
from foundation.ids import new_id

_log = logging.getLogger("clickloop.client")


class About(TypedDict, total=False):
    """What any event may say beside what happened.

    Attributes:
        user: Who did it.
        at: When it happened; now by default.
        event_id: Your own id, where the same event may be reported twice; a UUIDv7 by default.
    """

    user: str
    at: datetime | None
    event_id: str


class Reporter(ABC):
    """Queues events. No method blocks, none sends: that happens in the background.

    Every method returns the event's id.

    Attributes:
        outbox: What waits for the service.
        closed: Whether nothing more can be reported.
    """

    def __init__(self, outbox: Outbox, *, strict: bool) -> None:
        self.outbox = outbox
        self.strict = strict
        self.closed = False
        self._clock = SystemClock()
        self._overflows = False

    @property
    def counts(self) -> Counts:
        """What became of the events so far."""
        return self.outbox.counts()

    def report(
        self,
        event_type: EventType,
        query_id: str,
        document_id: str = "",
        *,
        value: float | None = None,
        name: str = "",
        user: str = "",
        at: datetime | None = None,
        event_id: str = "",
    ) -> str:
        """Queue an event of any type; the event page of the documentation says what each needs.

        Args:
            value: Stars of a rating, seconds of a dwell, worth of a conversion or of a custom event.
            name: What you call a custom event.

        Raises:
            QueueFull: In strict mode: too many events wait, and this one was not taken.
            Undelivered: The client is closed.
            ValueError: `value` is no number of JSON, or `at` names no time zone.
        """
        now = self._clock.now()
        if at is not None and at.tzinfo is None:
            raise ValueError(f"at must name its time zone, is {at}")
        given = {
            "id": event_id or new_id(now),
            "type": event_type,
            "name": name or None,
            "query_id": query_id,
            "document_id": document_id or None,
            "value": value,
            "user": user or None,
            "at": (at or now).isoformat(),
        }
        sent = {name: value for name, value in given.items() if value is not None}
        event = Event(str(given["id"]), json.dumps(sent, allow_nan=False).encode())
        self._put(event)
        return event.id

    def seen(self, query_id: str, document_id: str, **about: Unpack[About]) -> str:
        """Report that the user saw a hit."""
        return self.report("seen", query_id, document_id, **about)

    def click(self, query_id: str, document_id: str, **about: Unpack[About]) -> str:
        """Report that a hit was opened."""
        return self.report("click", query_id, document_id, **about)

    def dwell(self, query_id: str, document_id: str, seconds: float, **about: Unpack[About]) -> str:
        """Report how long the user stayed on a hit."""
        return self.report("dwell", query_id, document_id, value=seconds, **about)

    def rate(self, query_id: str, document_id: str, stars: int, **about: Unpack[About]) -> str:
        """Report a rating of 1 to 5 stars; for thumbs, send 5 and 1."""
        return self.report("rating", query_id, document_id, value=stars, **about)

    def convert(self, query_id: str, document_id: str, worth: float | None = None, **about: Unpack[About]) -> str:
        """Report that a hit led to what you wanted the user to do."""
        return self.report("conversion", query_id, document_id, value=worth, **about)

    def resolve(self, query_id: str, document_id: str = "", *, resolved: bool = True, **about: Unpack[About]) -> str:
        """Report whether the query was answered, and by which document if that is known."""
        return self.report("resolved" if resolved else "unresolved", query_id, document_id, **about)

    def abandon(self, query_id: str, **about: Unpack[About]) -> str:
        """Report that the user left the list without opening anything."""
        return self.report("abandon", query_id, **about)

    def custom(
        self, name: str, query_id: str, document_id: str = "", worth: float | None = None, **about: Unpack[About]
    ) -> str:
        """Report an event of your own, which a metric of yours counts; about a hit or about the whole list."""
        return self.report("custom", query_id, document_id, name=name, value=worth, **about)

    @abstractmethod
    def _notify(self, waiting: int) -> None:
        """Tell the delivery how many events wait now."""

    def _put(self, event: Event) -> None:
        if self.closed:
            raise Undelivered(f"the client is closed and takes no more events: {event.body.decode()}")
        waiting = self.outbox.put(event)
        if waiting:
            self._overflows = False
            self._notify(waiting)
            return
        detail = f"{self.counts.waiting} events wait for the service, so this one was not taken: {event.body.decode()}"
        if self.strict:
            raise QueueFull(detail)
        if not self._overflows:
            self._overflows = True
            _log.error("%s; further ones are counted in counts.overflowed", detail)
