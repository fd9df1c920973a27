"""Meilisearch's analytics events: clicks and conversions on the answers of a search."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from collector.intake.schemas.foreign import ANY_LENGTH, Fields, body_id
from collector.intake.schemas.native import MAX_DOCUMENT_ID, MAX_ID, MAX_USER
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import EventType, FeedbackEvent

_SOURCE = "meilisearch"
_MAX_NAME = 512
_TYPES: dict[str, EventType] = {"click": "click", "conversion": "conversion"}


def parse(value: Any, collection: str, now: datetime, user: str = "") -> Parsed:
    """Return the event that a Meilisearch event describes, or its faults.

    Args:
        now: When the event happened, too; Meilisearch's have no time of their own.
        user: What the header X-MS-USER-ID says, for events without `userId`.
    """
    fields = Fields(value)
    kind = fields.text("eventType", MAX_ID, required=True)
    if kind and kind not in _TYPES:
        fields.fault("eventType", 'must be "click" or "conversion"')
    for name in ("eventName", "indexUid"):
        fields.text(name, _MAX_NAME, required=True)
    who = fields.key("userId", MAX_USER, required=not user) or user
    query_id = fields.key("queryUid", MAX_ID)
    document_id = fields.key("objectId", MAX_DOCUMENT_ID)
    fields.text("objectName", ANY_LENGTH, printable=False)
    position = fields.whole("position")
    if len(who) > MAX_USER or not who.isprintable():
        fields.fault("X-MS-USER-ID", f"must have 1 to {MAX_USER} printable characters")
    if fields.faults:
        return fields.faults
    if not query_id or not document_id:
        return Taken(ignored="an event without queryUid and objectId belongs to no answer")
    event = FeedbackEvent(
        collection=collection,
        id=body_id(_SOURCE, [value, user]),
        type=_TYPES[kind],
        query_id=query_id,
        document_id=document_id,
        user=who,
        value=0.0,
        at=now,
        received_at=now,
        source=_SOURCE,
        position=None if position is None else position + 1,
    )
    return Taken((event,))
