"""User Behavior Insights 1.3: searches of any engine become impressions, and actions on their objects events.

The schema's `oneOf` is read as `anyOf`, for taken at its word it refuses its own values; an empty
position is accepted, as in its own examples; user ids may be empty; moments may be milliseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from collector.intake.schemas.foreign import ANY_LENGTH, MAX_SHOWN, Fields, action_of, body_id
from collector.intake.schemas.native import ABOUT_A_DOCUMENT, MAX_DOCUMENT_ID, MAX_SOURCE
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import EXTERNAL, FeedbackEvent, Impression, ShownResult
from foundation.eventlog.sizes import list_fault
from foundation.texts import as_id, query_fault

MAX_TEXT = 100
MAX_MESSAGE = 1024

_SOURCE = "ubi"
_LUCENE = (
    "query_response_hit_ids are numbers and no object_id_field says of what: they may be Lucene's internal ones, "
    "which change; name the field"
)


def parse_query(value: Any, collection: str, now: datetime) -> Parsed:
    """Return the impression in a UBI query, or its faults.

    The list counts as deterministic: each document certainly stood at its rank. The click curve says how far a
    rank is examined. A query that does not say what it showed is ignored.
    """
    fields = Fields(value)
    if not isinstance(value, dict):
        return fields.faults
    query = fields.text("user_query", ANY_LENGTH, required=value.get("user_query") != "", printable=False)
    if reason := query_fault(query):
        fields.fault("user_query", reason)
    fields.text("application", MAX_TEXT)
    fields.key("query_response_id", MAX_TEXT)
    query_id = query_id_of(value)
    fields.key("query_id", MAX_TEXT)
    fields.inner("query_attributes")
    id_field = fields.text("object_id_field", MAX_TEXT)
    unit = fields.key("client_id", MAX_TEXT) or query_id
    at = fields.moment("timestamp", now)
    hits = _hits(fields)
    if fields.faults:
        return fields.faults
    if (ignored := _useless(value, query, id_field)) != "":
        return Taken(ignored=ignored)
    return Taken((Impression(collection, query_id, query, unit, EXTERNAL, hits, at),))


def query_id_of(value: Any) -> str:
    """Return the id of a UBI query: its own, else one made of its content, the same in every retry."""
    given = as_id(value.get("query_id")) if isinstance(value, dict) else None
    return given if isinstance(given, str) and given else body_id("ubi-query", value)


def parse_event(value: Any, collection: str, now: datetime, base: int = 1) -> Parsed:
    """Return the event that a UBI event describes, or its faults.

    Args:
        base: The ordinal of the first document of a list; UBI itself does not say.
    """
    fields = Fields(value)
    action = fields.text("action_name", MAX_TEXT, required=True)
    at = fields.moment("timestamp", now, required=True)
    application = fields.text("application", MAX_TEXT)
    query_id = fields.key("query_id", MAX_TEXT)
    people = [fields.key(name, MAX_TEXT) for name in ("user_id", "client_id", "session_id")]
    fields.text("message_type", MAX_TEXT)
    fields.text("message", MAX_MESSAGE, printable=False)
    fields.text("user_query", ANY_LENGTH, printable=False)
    object_id, ordinal = _about(fields)
    event_type = action_of(action)
    if fields.faults:
        return fields.faults
    if event_type is None:
        return Taken(ignored=f"nothing is learned from the action {action!r}")
    if not query_id:
        return Taken(ignored="an event without query_id belongs to no search")
    if event_type in ABOUT_A_DOCUMENT and (not object_id or (ordinal is not None and ordinal < 0)):
        return Taken(ignored=f"a {action} that names no object of the list says nothing about one")
    event = FeedbackEvent(
        collection=collection,
        id=body_id(_SOURCE, value),
        type=event_type,
        query_id=query_id,
        document_id=object_id,
        user=next(filter(None, people), ""),
        value=0.0,
        at=at,
        received_at=now,
        source=f"{_SOURCE}/{application}"[:MAX_SOURCE] if application else _SOURCE,
        position=None if ordinal is None else ordinal + 1 - base,
    )
    return Taken((event,))


def _hits(fields: Fields) -> tuple[ShownResult, ...]:
    given = fields.array("query_response_hit_ids")
    if len(given) > MAX_SHOWN:
        fields.fault("query_response_hit_ids", f"must have at most {MAX_SHOWN} ids, has {len(given)}")
        return ()
    ranks: dict[str, int] = {}
    for rank, hit in enumerate(given, 1):
        one = Fields({"id": hit}, f"query_response_hit_ids.{rank - 1}.")
        ranks.setdefault(one.key("id", MAX_DOCUMENT_ID, required=True), rank)
        for fault in one.faults:
            fields.fault(f"query_response_hit_ids.{rank - 1}", fault.reason)
    shown = tuple(ShownResult(hit, rank, 0.0) for hit, rank in ranks.items())
    if reason := list_fault(shown):
        fields.fault("query_response_hit_ids", reason)
    return shown


def _useless(value: dict[str, Any], query: str, id_field: str) -> str:
    """Return why a valid query teaches nothing, "" when it does."""
    hits = value.get("query_response_hit_ids")
    if not query.strip():
        return "a query without text has no evidence of its own"
    if hits is None:
        return "a query without query_response_hit_ids does not say what it showed"
    if hits and not id_field and all(str(hit).isdigit() for hit in hits):
        return _LUCENE
    return ""


def _about(fields: Fields) -> tuple[str, int | None]:
    """Return the object that an event is about and the ordinal it stood at."""
    attributes = fields.inner("event_attributes")
    if attributes is None:
        return "", None
    about = attributes.inner("object")
    object_id = ""
    if about is not None:
        object_id = about.key("object_id", MAX_DOCUMENT_ID, required=True)
        for name in ("object_id_type", "object_id_field"):
            about.text(name, MAX_TEXT)
        about.key("internal_id", MAX_DOCUMENT_ID)
    position = attributes.inner("position")
    return object_id, None if position is None else _ordinal(attributes, position)


def _ordinal(attributes: Fields, position: Fields) -> int | None:
    ordinal = position.whole("ordinal")
    point = position.inner("xy")
    if point is not None and position.get("ordinal") is not None:
        attributes.fault("position", "must have ordinal or xy, not both")
    for place in (position, point):
        for name in ("x", "y"):
            if place is not None and isinstance(place.get(name), str | bool | list | dict):
                place.fault(name, "must be a number")
    return ordinal
