"""HTTP: feedback comes in by `POST /v1/events`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from collector.intake.clock_skew import clock_skew
from collector.intake.event_ids import EventIds
from collector.intake.policy import IntakePolicy, Offer, TooSoon
from collector.intake.publisher import write
from collector.intake.schemas import native
from foundation.clock import Clock
from foundation.contracts import FeedbackEvent
from foundation.errors import FieldFault, InvalidRequest
from foundation.eventlog.protocol import EventLog
from foundation.privacy.privacy import Privacy
from foundation.settings import Settings
from foundation.telemetry.metrics import EVENTS
from foundation.texts import as_id
from foundation.web.bodies import Entry, read_entries
from foundation.web.problems import PROBLEM_TYPE, problem_response, problem_responses
from foundation.web.requests import collection_of, read_body

_PATH = "/v1/events"
_CONFLICT = "is in conflict: another event came under this id before; give each event an id of its own"
_Parsed = FeedbackEvent | list[FieldFault]
_SENT_AT = Query(description="When the client sent this, by its own clock; a wrong one is corrected by it.")
_REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"anyOf": [native.SCHEMA, {"type": "array", "items": native.SCHEMA}]}},
        "application/x-ndjson": {"schema": native.SCHEMA | {"description": "One event a line."}},
        "text/plain": {"schema": {"type": "string", "description": "JSON as above, sent by a browser's beacon."}},
    },
}


class FaultReply(BaseModel):
    """One thing wrong with an event."""

    field: str
    reason: str


class EventVerdict(BaseModel):
    """What became of one event of a request: its place from 0, and its id ("" when refused without one)."""

    index: int
    id: str
    status: Literal["accepted", "refused"]
    fields: list[FaultReply]
    retry_after_s: int | None = Field(
        None, description="Only where the same event may be accepted later: seconds until then."
    )


class EventsReply(BaseModel):
    """What became of a request's events. Accepted ones are durable."""

    accepted: int
    refused: int
    verdicts: list[EventVerdict]


def make_router(log: EventLog, clock: Clock, settings: Settings, policy: IntakePolicy, privacy: Privacy) -> APIRouter:
    """Return the route of events.

    Args:
        log: Where accepted events are appended before the reply.
        policy: Looks at events before.
        privacy: What is kept of people.
    """
    router = APIRouter(tags=["feedback"])
    known_ids = EventIds()

    @router.post(
        _PATH,
        status_code=202,
        response_model=EventsReply,
        responses=problem_responses(400, 413, 422, 429, 503),
        openapi_extra={"requestBody": _REQUEST_BODY},
    )
    async def send_events(
        request: Request,
        collection: Annotated[str, Depends(collection_of)],
        sent_at: Annotated[str | None, _SENT_AT] = None,
    ) -> JSONResponse:
        """Take events: a JSON object, an array, or NDJSON. Replies when the accepted ones are durable.

        Each event has its own verdict; bad ones do not hold up their neighbours. An event whose `id`
        came before changes nothing, so a request without an answer can be sent again.
        """
        raw = await read_body(request, settings.max_body_bytes)
        entries = read_entries(raw, request.headers.get("content-type", ""), settings.max_batch)
        if not entries:
            raise InvalidRequest("the body holds no event", (FieldFault("body", "send at least one event"),))
        now = clock.now()
        skew = clock_skew(sent_at, now)
        offers = policy.examine(request, collection, [_parse(entry, collection, now, skew) for entry in entries])
        parsed = _refuse_conflicts([_event_of(one) for one in offers], known_ids)
        accepted = [one for one in parsed if isinstance(one, FeedbackEvent)]
        await write(log, accepted, privacy)
        known_ids.remember(accepted)  # not before: what is not durable may come again with other content
        _count(parsed)
        return _reply([_verdict(entry, one) for entry, one in zip(entries, parsed, strict=True)])

    return router


def _parse(entry: Entry, collection: str, now: datetime, skew: timedelta) -> Offer:
    parsed = [entry.fault] if entry.fault else native.parse(entry.value, collection, now, skew)
    return (parsed,) if isinstance(parsed, FeedbackEvent) else parsed


def _event_of(offer: Offer) -> _Parsed:
    if isinstance(offer, list):
        return offer
    (event,) = (one for one in offer if isinstance(one, FeedbackEvent))
    return event


def _refuse_conflicts(parsed: Sequence[_Parsed], known: EventIds) -> list[_Parsed]:
    places = [place for place, one in enumerate(parsed) if isinstance(one, FeedbackEvent)]
    conflicting = known.conflicting(one for one in parsed if isinstance(one, FeedbackEvent))
    refused = {place for number, place in enumerate(places) if number in conflicting}
    return [[FieldFault("id", _CONFLICT)] if place in refused else one for place, one in enumerate(parsed)]


def _count(parsed: Sequence[_Parsed]) -> None:
    for one in parsed:
        if isinstance(one, FeedbackEvent):
            EVENTS.labels(one.type, "distrusted" if one.distrusted else "accepted").inc()
        else:
            EVENTS.labels("unknown", "refused").inc()


def _verdict(entry: Entry, parsed: _Parsed) -> EventVerdict:
    if isinstance(parsed, FeedbackEvent):
        return EventVerdict(index=entry.index, id=parsed.id, status="accepted", fields=[])
    given = as_id(entry.value.get("id")) if isinstance(entry.value, dict) else None
    known = given[: native.MAX_ID] if isinstance(given, str) else ""
    faults = [FaultReply(field=fault.field, reason=fault.reason) for fault in parsed]
    wait_s = next((fault.retry_after_s for fault in parsed if isinstance(fault, TooSoon)), None)
    return EventVerdict(index=entry.index, id=known, status="refused", fields=faults, retry_after_s=wait_s)


def _reply(verdicts: list[EventVerdict]) -> JSONResponse:
    accepted = sum(verdict.status == "accepted" for verdict in verdicts)
    reply = EventsReply(accepted=accepted, refused=len(verdicts) - accepted, verdicts=verdicts)
    if accepted:
        return JSONResponse(reply.model_dump(exclude_none=True), status_code=202)
    return _refuse_all(reply)


def _refuse_all(reply: EventsReply) -> JSONResponse:
    """Return a problem document that names the faults of every event, as a verdict does."""
    faults = tuple(
        FieldFault(f"{verdict.index}.{fault.field}", fault.reason)
        for verdict in reply.verdicts
        for fault in verdict.fields
    )
    number = "the event" if reply.refused == 1 else f"all {reply.refused} events"
    document = problem_response(InvalidRequest(f"refused {number}; see the verdicts", faults), _PATH)
    content = json.loads(bytes(document.body)) | reply.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=document.status_code, media_type=PROBLEM_TYPE)
