"""HTTP: feedback comes in by `POST /v1/events`."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from collector.intake.clock_skew import clock_skew
from collector.intake.event_ids import EventIds
from collector.intake.pipeline import IntakePipeline, Result
from collector.intake.policy import TooSoon
from collector.intake.schemas import native
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import FeedbackEvent
from foundation.errors import InvalidRequest
from foundation.texts import as_id
from foundation.web.bodies import Entry
from foundation.web.problems import PROBLEM_TYPE, problem_response, problem_responses
from foundation.web.requests import collection_of

_PATH = "/v1/events"
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


def make_router(intake: IntakePipeline) -> APIRouter:
    """Return the route of events."""
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
        entries = await intake.read_entries(request, request.headers.get("content-type", ""))
        now = intake.clock.now()
        skew = clock_skew(sent_at, now)
        result = await intake.take(
            request, collection, entries, lambda value: native.parse(value, collection, now, skew), known_ids=known_ids
        )
        return _reply([_verdict(entry, one) for entry, one in zip(entries, result.parsed, strict=True)], result)

    return router


def _verdict(entry: Entry, parsed: Parsed) -> EventVerdict:
    if isinstance(parsed, Taken):
        (event,) = (one for one in parsed.content if isinstance(one, FeedbackEvent))
        return EventVerdict(index=entry.index, id=event.id, status="accepted", fields=[])
    given = as_id(entry.value.get("id")) if isinstance(entry.value, dict) else None
    known = given[: native.MAX_ID] if isinstance(given, str) else ""
    faults = [FaultReply(field=fault.field, reason=fault.reason) for fault in parsed]
    wait_s = next((fault.retry_after_s for fault in parsed if isinstance(fault, TooSoon)), None)
    return EventVerdict(index=entry.index, id=known, status="refused", fields=faults, retry_after_s=wait_s)


def _reply(verdicts: list[EventVerdict], result: Result) -> JSONResponse:
    """Return the verdicts; where none is good, as a problem document that names the faults of every event."""
    reply = EventsReply(accepted=len(verdicts) - result.refused, refused=result.refused, verdicts=verdicts)
    content = reply.model_dump(exclude_none=True)
    if reply.accepted:
        return JSONResponse(content, status_code=202)
    number = "the event" if reply.refused == 1 else f"all {reply.refused} events"
    document = problem_response(InvalidRequest(f"refused {number}; see the verdicts", result.faults()), _PATH)
    content = json.loads(bytes(document.body)) | content
    return JSONResponse(content, status_code=document.status_code, media_type=PROBLEM_TYPE)
