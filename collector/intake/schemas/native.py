"""clickloop's own event schema: one JSON value to one event, or to everything that is wrong with it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from collector.intake.schemas.fields import Given, kind_of
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import EVENT_NAME, EVENT_TYPES, EventType, FeedbackEvent
from foundation.errors import FieldFault
from foundation.ids import new_id
from foundation.texts import NOT_TEXT, as_id

MAX_ID = 128
MAX_DOCUMENT_ID = 256
MAX_USER = 256
MAX_SOURCE = 128

FIELDS = ("id", "type", "name", "query_id", "document_id", "value", "user", "at")
ABOUT_A_DOCUMENT: tuple[EventType, ...] = ("seen", "click", "rating", "dwell", "conversion")


def _id_schema(description: str, limit: int) -> dict[str, Any]:
    return {"description": description, "type": ["string", "integer"], "minLength": 1, "maxLength": limit}


SCHEMA: dict[str, Any] = {
    "title": "Event",
    "description": "One thing a user did with a search's answer.",
    "type": "object",
    "required": ["type", "query_id"],
    "additionalProperties": False,
    "properties": {
        "id": _id_schema("Your id of the event; the same id again changes nothing. One is made when absent.", MAX_ID),
        "type": {"enum": list(EVENT_TYPES)},
        "name": {
            "description": "What you call a custom event; a metric of your own counts it.",
            "type": "string",
            "pattern": f"^{EVENT_NAME.pattern}$",
        },
        "query_id": _id_schema("From the search's answer.", MAX_ID),
        "document_id": _id_schema(
            "The hit concerned; required for seen, click, rating, dwell and conversion.", MAX_DOCUMENT_ID
        ),
        "value": {
            "description": "Stars 1 to 5 of a rating, seconds of a dwell; optional: worth of a conversion or custom "
            "event.",
            "type": "number",
            "minimum": 0,
        },
        "user": _id_schema("Who did it.", MAX_USER),
        "at": {
            "description": "When, with zone; the moment of receipt when absent.",
            "type": "string",
            "format": "date-time",
        },
    },
}
"""The schema for people and for the OpenAPI page; `parse` is stricter where types differ."""


def parse(value: Any, collection: str, now: datetime, skew: timedelta = timedelta()) -> Parsed:
    """Return the event that a JSON value describes, or its faults, at most 20.

    An event without `id` gets a new one; one without `at` happened `now`. Null stands for absent.

    Args:
        skew: How far the client's clock is behind ours; its moments are corrected by it.
    """
    if not isinstance(value, dict):
        return [FieldFault("event", f"must be a JSON object, is {_kind(value)}")]
    fields = _Fields(value)
    for name in value:
        if name not in FIELDS:
            fields.fault(name, f"is not a field of an event; there are {', '.join(FIELDS)}")
    event_type = fields.event_type()
    event = FeedbackEvent(
        collection=collection,
        id=fields.key("id", MAX_ID) or new_id(now),
        type=event_type or "click",
        name=fields.name_of(event_type),
        query_id=fields.key("query_id", MAX_ID, required=True),
        document_id=fields.key("document_id", MAX_DOCUMENT_ID, required=event_type in ABOUT_A_DOCUMENT),
        user=fields.key("user", MAX_USER),
        value=fields.value_of(event_type),
        at=fields.moment("at", now, skew),
        received_at=now,
    )
    return fields.faults or Taken((event,))


class _Fields(Given):
    """One event's JSON object, and what is wrong with it so far."""

    def event_type(self) -> EventType | None:
        """Return the event's type, None when it has no valid one."""
        given = self.get("type")
        if given in EVENT_TYPES:
            return cast("EventType", given)
        self.fault("type", f"must be one of {', '.join(EVENT_TYPES)}")
        return None

    def name_of(self, event_type: EventType | None) -> str:
        """Return the name of a custom event, "" of any other and when at fault."""
        given = self.get("name")
        if event_type != "custom":
            if given is not None and event_type is not None:
                self.fault("name", f"has no meaning for {event_type}; leave it out, or send the type custom")
        elif isinstance(given, str) and EVENT_NAME.fullmatch(given):
            return given
        else:
            self.fault("name", "must name the custom event: a small letter, then up to 31 of a to z, 0 to 9 and _")
        return ""

    def key(self, name: str, limit: int, *, required: bool = False) -> str:
        """Return an id of 1 to `limit` printable characters, "" when absent or at fault."""
        given = as_id(self._required(name, required))
        if given is None:
            return ""
        if not isinstance(given, str):
            self.fault(name, f"must be a string or a whole number, is {_kind(given)}")
            return ""
        if not 1 <= len(given) <= limit:
            self.fault(name, f"must have 1 to {limit} characters, has {len(given)}")
            return ""
        if NOT_TEXT.search(given):
            self.fault(name, "must not hold control characters")
            return ""
        return given

    def value_of(self, event_type: EventType | None) -> float:
        """Return the value as the event's type wants it, 0 when there is none."""
        given: Any = self.get("value")
        if event_type is None:
            return 0.0
        if event_type in _VALUE_RULES:
            if given is None and event_type in _WORTH_IS_OPTIONAL:
                return 0.0
            if _is_valid(given, event_type):
                return float(given)
            self.fault("value", _VALUE_RULES[event_type])
        elif given is not None:
            self.fault("value", f"has no meaning for {event_type}; leave it out")
        return 0.0

    def moment(self, name: str, now: datetime, skew: timedelta) -> datetime:
        """Return a moment in UTC by our clock, `now` when absent or at fault."""
        given = self.get(name)
        if given is None:
            return now
        wrong = "must be an ISO 8601 time with a zone, such as 2026-01-05T10:00:00Z"
        return self._moment(name, _instant(given, skew), wrong, now)


_VALUE_RULES: dict[EventType, str] = {
    "rating": "must be a whole number of stars, 1 to 5",
    "dwell": "must be the seconds stayed, a finite number of at least 0",
    "conversion": "must be the conversion's worth, a finite number of at least 0",
    "custom": "must be what the event is worth, a finite number of at least 0",
}
_WORTH_IS_OPTIONAL = ("conversion", "custom")


def _is_valid(given: Any, event_type: EventType) -> bool:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    if event_type == "rating":
        return given in {1, 2, 3, 4, 5}
    return 0 <= given <= 1e300 and math.isfinite(given)


def _instant(given: Any, skew: timedelta) -> datetime | None:
    try:
        at = datetime.fromisoformat(given)
        return at.astimezone(UTC) + skew if at.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _kind(value: Any) -> str:
    kind = kind_of(value)
    return {"null": kind, "object": "an object", "array": "an array"}.get(kind, f"a {kind}")
