"""HTTP: the intakes of other systems' clients, on the same port, with the answers those clients expect.

All of them accept like the native intake: durable before the reply, a bad event does not hold up its
neighbours, a repeat changes nothing. They take any content type, as browsers' beacons send
`text/plain`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from collector.intake.pipeline import IntakePipeline, IntakeVerdict
from collector.intake.schemas import algolia, meilisearch, metarank, ubi
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.clock import monotonic_s
from foundation.errors import BodyTooLarge, ClickloopError, FieldFault, InvalidRequest, UnreadableBody
from foundation.web.bodies import read_json, to_entries
from foundation.web.problems import Refusal, problem_responses
from foundation.web.requests import Collection, key_of, read_body

_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}
}
_WRITES_DOCUMENTS = FieldFault("event", "lays an item over a document, which takes a key of the role admin")
_MEILISEARCH_CODES = {
    401: "missing_authorization_header",
    403: "invalid_api_key",
    408: "bad_request",
    413: "payload_too_large",
    415: "invalid_content_type",
    421: "bad_request",
    429: "too_many_search_requests",
}
_MEILISEARCH_ERRORS = "https://docs.meilisearch.com/errors#"


class UbiReply(BaseModel):
    """What became of UBI's queries or events; `query_id` is the last query's."""

    accepted: int
    ignored: int
    refused: int
    verdicts: list[IntakeVerdict]
    query_id: str | None = None


class MetarankReply(BaseModel):
    """Metarank's reply: `accepted` events, and the documents that item events `updated`."""

    status: Literal["ok"] = "ok"
    accepted: int
    updated: int
    tookMillis: int  # noqa: N815  Metarank's name
    refused: int
    verdicts: list[IntakeVerdict]


class AlgoliaReply(BaseModel):
    """Algolia's reply, to what it accepts and to what it refuses."""

    status: int
    message: str


class MeilisearchError(BaseModel):
    """Meilisearch's form of an error."""

    message: str
    code: str
    type: str
    link: str


def make_router(intake: IntakePipeline) -> APIRouter:
    """Return the routes of the compatible intakes."""
    router = APIRouter(tags=["compatible feedback"])
    _add_ubi(router, intake)
    _add_metarank(router, intake)
    _add_algolia(router, intake)
    _add_meilisearch(router, intake)
    return router


def _add_ubi(router: APIRouter, intake: IntakePipeline) -> None:
    errors = problem_responses(400, 413, 422, 429, 503)

    @router.post("/ubi_queries", openapi_extra=_BODY, response_model=UbiReply, responses=errors)
    async def send_ubi_queries(request: Request, collection: Collection) -> JSONResponse:
        """Take UBI 1.3 queries, one or an array; those that list what they showed become impressions."""
        parse = partial(ubi.parse_query, collection=collection, now=intake.clock.now())
        return await _take_ubi(request, intake, collection, parse)

    @router.post("/ubi_events", openapi_extra=_BODY, response_model=UbiReply, responses=errors)
    async def send_ubi_events(request: Request, collection: Collection) -> JSONResponse:
        """Take UBI 1.3 events, one or an array."""
        base = intake.settings.ubi_base
        parse = partial(ubi.parse_event, collection=collection, now=intake.clock.now(), base=base)
        return await _take_ubi(request, intake, collection, parse)


async def _take_ubi(
    request: Request, intake: IntakePipeline, collection: str, parse: Callable[[Any], Parsed]
) -> JSONResponse:
    entries = await intake.read_entries(request)
    result = await intake.take(request, collection, entries, parse, brings_lists=True)
    result.refuse_if_all_bad()
    verdicts = result.verdicts()
    counts = {status: sum(one.status == status for one in verdicts) for status in ("accepted", "ignored", "refused")}
    asked = [entry.value for entry in entries if isinstance(entry.value, dict) and "action_name" not in entry.value]
    reply = UbiReply(**counts, verdicts=verdicts, query_id=ubi.query_id_of(asked[-1]) if asked else None)
    return JSONResponse(reply.model_dump())


def _add_metarank(router: APIRouter, intake: IntakePipeline) -> None:
    @router.post("/feedback", openapi_extra=_BODY, responses=problem_responses(400, 413, 422, 429, 503))
    async def send_metarank_feedback(request: Request, collection: Collection) -> MetarankReply:
        """Take Metarank's feedback: one event, an array, or lines; items are laid over the documents."""
        started_s, now = monotonic_s(), intake.clock.now()
        entries = await intake.read_entries(request, request.headers.get("content-type", ""), guess_lines=True)
        may_write = (key := key_of(request)) is None or key.role == "admin"

        def parse(value: Any) -> Parsed:
            parsed = metarank.parse(value, collection, now)
            return parsed if may_write or not (isinstance(parsed, Taken) and parsed.items) else [_WRITES_DOCUMENTS]

        result = await intake.take(request, collection, entries, parse, brings_lists=True)
        result.refuse_if_all_bad()
        return MetarankReply(
            accepted=len(entries) - result.refused,
            updated=sum(status in {"created", "updated"} for status in result.merged.values()),
            tookMillis=round((monotonic_s() - started_s) * 1000),
            refused=result.refused,
            verdicts=result.verdicts(),
        )


def _add_algolia(router: APIRouter, intake: IntakePipeline) -> None:
    errors = _errors(AlgoliaReply, 400, 401, 403, 408, 413, 415, 422, 429, 503)

    @router.post("/1/events", openapi_extra=_BODY, response_model=AlgoliaReply, responses=errors)
    async def send_algolia_events(request: Request, collection: Collection) -> JSONResponse:
        """Take Algolia Insights events; the application's id and key come as headers or in the query string."""
        if not _has_credentials(request):
            return _algolia_reply(401, "Invalid credentials")
        try:
            return await _take_algolia(request, intake, collection)
        except BodyTooLarge:
            return _algolia_reply(413, "Request Entity Too Large")
        except ClickloopError as problem:
            return _refuse_algolia(problem)

    @router.api_route("/1/events", methods=["GET", "PUT", "DELETE", "PATCH"], include_in_schema=False)
    def refuse_method() -> JSONResponse:
        """Refuse as Algolia does."""
        refusal = _algolia_reply(405, "Method Not Allowed")
        refusal.headers["Allow"] = "POST"
        return refusal


def _has_credentials(request: Request) -> bool:
    """Return whether id and key are there. Algolia needs them; which they are does not matter here."""
    given = {
        name.lower(): value for source in (request.query_params, request.headers) for name, value in source.items()
    }
    return bool(given.get("x-algolia-application-id") and given.get("x-algolia-api-key"))


async def _take_algolia(request: Request, intake: IntakePipeline, collection: str) -> JSONResponse:
    raw = await read_body(request, min(algolia.MAX_BODY_BYTES, intake.settings.max_body_bytes))
    now, strict = intake.clock.now(), intake.settings.algolia_strict
    entries = to_entries(_batch(raw, min(algolia.MAX_EVENTS, intake.settings.max_batch)), raw)

    parse = partial(algolia.parse, collection=collection, now=now, strict=strict)
    bad = [entry for entry in entries if entry.fault or isinstance(parse(entry.value), list)] if strict else []
    result = await intake.take(request, collection, bad[:1] or entries, parse)
    if result.refused == len(result.parsed):
        return _algolia_reply(422, result.faults()[0].reason)
    if result.refused:
        reason = result.faults()[0].reason
        return _algolia_reply(200, f"OK; refused {result.refused} of {len(entries)} events: {reason}")
    return _algolia_reply(200, "OK")


def _batch(raw: bytes, max_events: int) -> list[Any]:
    """Return the events of a body; InvalidRequest, with Algolia's messages, if there are none or too many."""
    body = read_json(raw)
    if not isinstance(body, dict):
        kind = "array" if isinstance(body, list) else "value"
        raise InvalidRequest(f"Invalid type for field : expected insights.PublicEventsBatch, got {kind}")
    events = body.get("events")
    unknown = [name for name in body if name != "events"]
    if events is not None and unknown:
        raise InvalidRequest(f"Invalid payload: {unknown[0][:128]} stands beside events")
    if events is not None and not isinstance(events, list):
        raise InvalidRequest("Invalid type for field events: expected array")
    if not events:
        raise InvalidRequest("No events to process")
    if len(events) > max_events:
        raise InvalidRequest(f"Cannot process more than {max_events} events in a batch")
    return events


def _algolia_reply(status: int, message: str) -> JSONResponse:
    return JSONResponse({"status": status, "message": message}, status_code=status)


def _refuse_algolia(problem: ClickloopError) -> JSONResponse:
    reply = _algolia_reply(problem.status, "Invalid credentials" if problem.status == 401 else problem.detail)
    reply.headers.update(_when_again(problem))
    return reply


def _errors(model: type[BaseModel], *codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": model} for code in codes}


def _when_again(problem: ClickloopError) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after_s)} if problem.retryable else {}


def _add_meilisearch(router: APIRouter, intake: IntakePipeline) -> None:
    errors = _errors(MeilisearchError, 400, 401, 403, 408, 413, 415, 429, 503)

    @router.post("/events", status_code=201, openapi_extra=_BODY, response_class=Response, responses=errors)
    async def send_meilisearch_events(request: Request, collection: Collection) -> Response:
        """Take a Meilisearch analytics event, or an array of them."""
        user = request.headers.get("x-ms-user-id", "")
        parse = partial(meilisearch.parse, collection=collection, now=intake.clock.now(), user=user)
        try:
            result = await intake.take(request, collection, await intake.read_entries(request), parse)
            result.refuse_if_all_bad()
        except ClickloopError as problem:
            return _meilisearch_error(problem)
        return Response(status_code=201)


def _meilisearch_error(problem: ClickloopError) -> JSONResponse:
    known = problem.status >= 500 or problem.status in _MEILISEARCH_CODES
    status = problem.status if known else 400
    code = "internal" if status >= 500 else _MEILISEARCH_CODES.get(status, "bad_request")
    if isinstance(problem, UnreadableBody):
        code = "malformed_payload"
    reasons = "; ".join(f"{fault.field} {fault.reason}" for fault in problem.fields)
    content = {
        "message": reasons or problem.detail,
        "code": code,
        "type": "internal" if status >= 500 else "auth" if status in {401, 403} else "invalid_request",
        "link": _MEILISEARCH_ERRORS + code,
    }
    return JSONResponse(content, status_code=status, headers=_when_again(problem))


REFUSALS: tuple[tuple[str, Refusal], ...] = (("/1/events", _refuse_algolia), ("/events", _meilisearch_error))
"""How a request is refused before its route where its client expects another form than a problem document."""
