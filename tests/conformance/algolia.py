"""Algolia Insights: the types of events, their properties, and every error of its reference with its message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.conformance.case import Case

AT = datetime(2026, 1, 4, 10, tzinfo=UTC)
MS = 1767520800000
OTHER = "54ed4c9d94050a25e4e5ccf5d256ca42"
QUERY = "43b15df305339e827f0ac0bdc5ebcaa7"
PLAIN = {"eventName": "Product Clicked", "eventType": "click", "index": "products", "userToken": "u-1"}
CLICK = PLAIN | {"queryID": QUERY, "objectIDs": ["b"], "positions": [2]}
BOUGHT = PLAIN | {"eventType": "conversion", "objectIDs": ["b"], "queryID": QUERY}
ALIEN = PLAIN | {"objectIDs": ["b"]}
FILTER = PLAIN | {"filters": ["brand:apple"]}
DATA = [{"queryID": QUERY, "price": 49.99, "discount": 1, "quantity": 2}, {"queryID": OTHER, "price": "9.99"}]


def _body(event: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {"events": [{name: value for name, value in (event | changes).items() if value is not ...}]}


def _good(sent: str, becomes: str, event: dict[str, Any], kinds: tuple[str, ...] = (), **expect: Any) -> Case:
    return Case("Algolia", sent, {"events": [event]}, becomes, 200, kinds, expect, '{"status":200,"message":"OK"}')


def _bad(sent: str, message: str, event: dict[str, Any] = CLICK, **changes: Any) -> Case:
    return Case("Algolia", sent, _body(event, changes), message, 422, message=message)


def _batch(sent: str, message: str, body: Any, status: int = 422) -> Case:
    return Case("Algolia", sent, body, message, status, message=message)


ALGOLIA: tuple[Case, ...] = (
    _good("clicked object IDs after search", "a click an object", CLICK, ("click",)),
    _good("clicked object IDs", "ignored: belongs to no search", ALIEN),
    _good("clicked filters", "ignored: about no document", FILTER),
    _good("converted object IDs after search", "a conversion", BOUGHT, ("conversion",)),
    _good("converted object IDs", "ignored", ALIEN | {"eventType": "conversion"}),
    _good("converted filters", "ignored", FILTER | {"eventType": "conversion"}),
    _good("added to cart object IDs after search", "a conversion", BOUGHT | {"eventSubtype": "addToCart"},
          ("conversion",)),
    _good("added to cart object IDs", "ignored", ALIEN | {"eventType": "conversion", "eventSubtype": "addToCart"}),
    _good("purchased object IDs after search", "a conversion an object, of its own query",
          ALIEN | {"eventType": "conversion", "eventSubtype": "purchase", "objectIDs": ["b", "c"], "objectData": DATA},
          ("conversion", "conversion"), query_id=QUERY, value=99.98),
    _good("purchased object IDs", "ignored", ALIEN | {"eventType": "conversion", "eventSubtype": "purchase"}),
    _good("viewed object IDs", "ignored", ALIEN | {"eventType": "view"}),
    _good("viewed filters", "ignored", FILTER | {"eventType": "view"}),
    _good("InstantSearch telemetry", "ignored", {"eventType": "instantsearch_telemetry", "sessionID": "s"}),
    _good("`eventType`", "the type", CLICK, ("click",), type="click"),
    _good("`eventSubtype`", "checked: both are conversions", BOUGHT | {"eventSubtype": "purchase"}, ("conversion",)),
    _good("`eventName`", "checked, not kept", CLICK, ("click",)),
    _good("`index`", "checked, not kept: the request names the collection", CLICK, ("click",)),
    _good("`userToken`", "who did it", CLICK, ("click",), user="u-1"),
    _good("`authenticatedUserToken`", "who did it, before `userToken`", CLICK | {"authenticatedUserToken": "me=1"},
          ("click",), user="me=1"),
    _good("`timestamp`", "when", CLICK | {"timestamp": MS}, ("click",), at=AT),
    _good("`timestamp` in seconds", "the same", CLICK | {"timestamp": MS // 1000}, ("click",), at=AT),
    _good("`queryID`", "the list it belongs to", CLICK, ("click",), query_id=QUERY),
    _good("`objectIDs`", "the documents, an event each", CLICK | {"objectIDs": ["b", "c"], "positions": [2, 3]},
          ("click", "click"), document_id="b"),
    _good("`filters`", "checked, not kept", PLAIN | {"filters": ["brand%3Aapple", "discount:10%25"]}),
    _good("`positions`", "the position, counted from 1", CLICK, ("click",), position=2),
    _good("`objectData`", "price times quantity is the worth",
          BOUGHT | {"objectData": [{"price": "10.5", "quantity": 2, "discount": 0}]}, ("conversion",), value=21.0),
    _good("`value`", "the worth, without prices", BOUGHT | {"value": "7.5"}, ("conversion",), value=7.5),
    _good("`currency`", "checked, not kept", BOUGHT | {"value": 1, "currency": "EUR"}, ("conversion",)),
    Case("Algolia", "a `text/plain` beacon", json.dumps({"events": [CLICK]}), "the same", 200, ("click",),
         headers={"Content-Type": "text/plain;charset=UTF-8"}),
    Case("Algolia", "clickloop's own query id as `queryID`",
         {"events": [CLICK | {"queryID": "01a20b6d-a6da-73e1-8a56-6e6654646c9c"}]}, "the list it belongs to",
         200, ("click",), {"query_id": "01a20b6d-a6da-73e1-8a56-6e6654646c9c"}, strict_status=422),
    Case("Algolia", "a good event beside a bad one", {"events": [CLICK, {}]}, "the good one is kept", 200, ("click",),
         message="refused 1 of 2 events", strict_status=422),
    _batch("a body that is not JSON", "is not JSON", "{", 400),
    Case("Algolia", "no application id or key", {"events": [CLICK]}, "Invalid credentials", 401,
         message='{"status":401,"message":"Invalid credentials"}', headers={"X-Algolia-API-Key": ""}),
    _batch("over 2 MB", "Request Entity Too Large", " " * (2 * 2**20 + 1), 413),
    _batch("a property beside `events`", "Invalid payload", {"events": [CLICK], "event": 1}),
    Case("Algolia", "a property of an event that there is not", {"events": [CLICK | {"colour": "red"}]},
         "left alone", 200, ("click",), strict_status=422),
    _batch("`events` empty, or one event without `events`", "No events to process", CLICK),
    _batch("an array instead of `events`", "Invalid type for field : expected insights.PublicEventsBatch, got array",
           [CLICK]),
    _bad("no `eventName`", "EventName is required", eventName=...),
    _bad("`eventName` too long or with other characters",
         "EventName must contain only visible ASCII characters, and be between 1 and 64 characters long",
         eventName="é"),
    _bad("no `eventType`", "EventType is required", eventType=...),
    _bad("any other `eventType`", 'EventType must be one of "click", "conversion" or "view"'.replace('"', '\\"'),
         ALIEN, eventType="like"),
    _bad("no `index`", "The index field is required", index=...),
    _bad("no `userToken`", "The userToken field is required", userToken=...),
    _bad("`userToken` with other characters", "UserToken must contain only alphanumeric", userToken="a@b.c"),
    _bad("neither `objectIDs` nor `filters`", "Event should specify either some ObjectIDs or some Filters", PLAIN),
    _bad("both of them", "Event should specify ObjectIDs or Filters, but not both", filters=["a:b"]),
    _bad("`positions` of what is no click", "Only event of type click should specify the positions attribute", BOUGHT,
         positions=[1]),
    _bad("`positions` without `queryID`", "Event of type click with positions should specify a queryID", queryID=...),
    _bad("a position below 1", "Event of type click may only have strictly positive positions", positions=[0]),
    _bad("another number of `positions` than of `objectIDs`",
         "Event of type click should have the same number of ObjectIDs and Positions", positions=[1, 2]),
    _bad("`queryID` that is no 32 hexadecimal digits",
         "Query ID must be a search query ID (32 characters hexadecimal string)", queryID="q1"),
    _bad("a property of the wrong type",
         "Invalid type for field userToken: expected string, got boolean", userToken=True),
    Case("Algolia", "`timestamp` over 4 days old", {"events": [CLICK | {"timestamp": MS - 4 * 86_400_000}]},
         "kept, and counted while `CLICKLOOP_LATENESS_DAYS` allows", 200, ("click",), strict_status=422),
    _batch("more than 1,000 events", "Cannot process more than 1000 events in a batch", {"events": [{}] * 1001}),
    _bad("`objectData` of another length", "ObjectData must have the same length as ObjectIDs", BOUGHT, objectData=[]),
    _bad("more than 20 `objectIDs`", "ObjectIDs must be 1 to 20 strings", ALIEN, objectIDs=["b"] * 21),
    _bad("`timestamp` in the future", "The timestamp must not lie in the future", timestamp=MS * 2),
)  # fmt: skip
