"""UBI 1.3.0: the query and event schemas field by field, and the traps of their implementations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.conformance.case import Case

AT = datetime(2026, 1, 4, 10, tzinfo=UTC)
MS = 1767520800000
QUERY = {"user_query": "toner", "query_id": "q1", "query_response_hit_ids": ["sku-1", "sku-9"]}
EVENT = {
    "action_name": "click",
    "timestamp": "2026-01-04T10:00:00Z",
    "query_id": "q1",
    "event_attributes": {"position": {"ordinal": 2}, "object": {"object_id": "sku-9"}},
}
LONG = "x" * 101


def _query(sent: str, becomes: str, expect: dict[str, Any] | None = None, **changes: Any) -> Case:
    return Case("UBI query", sent, QUERY | changes, becomes, kinds=("impression",), expect=expect or {})


def _no_query(sent: str, becomes: str, *, status: int = 422, **changes: Any) -> Case:
    body = {name: value for name, value in (QUERY | changes).items() if value is not ...}
    return Case("UBI query", sent, body, becomes, status)


def _event(sent: str, becomes: str, expect: dict[str, Any] | None = None, kind: str = "click", **changes: Any) -> Case:
    return Case("UBI event", sent, EVENT | changes, becomes, kinds=(kind,), expect=expect or {})


def _no_event(sent: str, becomes: str, *, status: int = 422, **changes: Any) -> Case:
    body = {name: value for name, value in (EVENT | changes).items() if value is not ...}
    return Case("UBI event", sent, body, becomes, status)


def _about(**about: Any) -> dict[str, Any]:
    return {"position": {"ordinal": 2}, "object": about}


def _at(position: Any) -> dict[str, Any]:
    return {"position": position, "object": {"object_id": "sku-9"}}


UBI: tuple[Case, ...] = (
    _query("`user_query`", "the impression's query", {"query": "toner"}),
    _query("`query_id`", "its id", {"query_id": "q1"}),
    _query("`client_id`", "whom caps count", {"unit": "c1"}, client_id="c1"),
    _query("`application`", "checked, not kept", application="shop"),
    _query("`query_attributes`", "checked, not kept", query_attributes={"page": 1, "experiment": "x"}),
    _query("`object_id_field`", "says that hit ids are the app's own", object_id_field="sku"),
    _query("`timestamp`", "when it was shown", {"at": AT}, timestamp="2026-01-04T10:00:00.000Z"),
    _query("`timestamp` in milliseconds", "the same", {"at": AT}, timestamp=MS),
    _query("`query_response_id`", "checked, not kept", query_response_id="r1"),
    _query("`query_response_hit_ids`", "what was shown, rank 1 first; version `external`", {"version": "external"}),
    _query("`query_response_hit_ids` empty", "a search without results", {"results": ()}, query_response_hit_ids=[]),
    _query("numeric hit ids with `object_id_field`", "ids as text", object_id_field="sku", query_response_hit_ids=[7]),
    _query("unknown fields", "left out", extra_info="x", extra_info_type="y"),
    Case("UBI query", "no `query_id`", {"user_query": "a", "query_response_hit_ids": ["b"]},
         "an id made of the content, told as `query_id`", kinds=("impression",)),
    Case("UBI query", "an array", [QUERY], "each entry on its own", kinds=("impression",)),
    _no_query("no `query_response_hit_ids`", "ignored: what was shown is unknown", status=200,
              query_response_hit_ids=...),
    _no_query("`user_query` empty", "ignored: nothing to find it by", status=200, user_query=""),
    _no_query("numeric hit ids without `object_id_field`", "ignored: may be Lucene's own", status=200,
              query_response_hit_ids=["1", 2]),
    _no_query("no `user_query`", "refused", user_query=...),
    _no_query("a text over 100 characters", "refused", client_id=LONG),
    _no_query("`user_query` over 1,500 bytes", "refused: evidence is found by it", user_query="x" * 1501),
    _no_query("a field of the wrong type", "refused", query_attributes="page 1"),
    _no_query("`timestamp` without zone", "refused", timestamp="2026-01-04T10:00:00"),
    _no_query("a hit id over 256 characters", "refused", query_response_hit_ids=["x" * 257]),
    Case("UBI query", "a body that is not JSON", "{", "refused", 400),
    _event("`action_name`: click", "a click", {"document_id": "sku-9"}),
    _event("`action_name`: item_click", "a click", action_name="item_click"),
    _event("`action_name`: watch", "a click", action_name="watch"),
    _event("`action_name`: add_to_cart", "a conversion", kind="conversion", action_name="add_to_cart"),
    _event("`action_name`: purchase", "a conversion", kind="conversion", action_name="purchase"),
    _event("`query_id`", "the list it belongs to", {"query_id": "q1"}),
    _event("`application`", "the source whose positions are watched", {"source": "ubi/shop"}, application="shop"),
    _event("`user_id`", "who did it", {"user": "u1"}, user_id="u1", client_id="c1", session_id="s1"),
    _event("`client_id`", "who did it, where `user_id` is empty", {"user": "c1"}, user_id="", client_id="c1"),
    _event("`session_id`", "who did it, where nothing else says", {"user": "s1"}, session_id="s1"),
    _event("`timestamp`", "when", {"at": AT}),
    _event("`timestamp` with an offset", "the same", {"at": AT}, timestamp="2026-01-04T11:00:00+01:00"),
    _event("`timestamp` in milliseconds", "the same", {"at": AT}, timestamp=MS),
    _event("`timestamp` in milliseconds as text", "the same", {"at": AT}, timestamp=str(MS)),
    _event("`message_type`", "checked, not kept", message_type="INFO"),
    _event("`message`", "checked, not kept", message="two\nlines"),
    _event("`user_query`", "checked, not kept", user_query="toner"),
    _event("`event_attributes.position.ordinal`", "the position, by `CLICKLOOP_UBI_BASE`", {"position": 2}),
    _event("`event_attributes.position.xy`", "no position", {"position": None},
           event_attributes=_at({"xy": {"x": 3, "y": 4.5}})),
    _event("`event_attributes.position.x`, `.y`", "no position", {"position": None},
           event_attributes=_at({"x": 3, "y": 4})),
    _event("`event_attributes.position` empty", "no position", {"position": None}, event_attributes=_at({})),
    _event("`event_attributes` without `position`", "no position", {"position": None},
           event_attributes={"object": {"object_id": "sku-9"}}),
    _event("`event_attributes.object.object_id`", "the document", {"document_id": "sku-9"}),
    _event("`object_id` as a number", "the document", {"document_id": "42"}, event_attributes=_about(object_id=42)),
    _event("`object_id_type`", "checked, not kept",
           event_attributes=_about(object_id="sku-9", object_id_type="product")),
    _event("`object_id_field`", "checked, not kept", event_attributes=_about(object_id="sku-9", object_id_field="sku")),
    _event("`internal_id`", "checked, not kept", event_attributes=_about(object_id="sku-9", internal_id=17)),
    _event("other attributes", "left out", event_attributes=_about(object_id="sku-9") | {"dwell": 3}),
    Case("UBI event", "an array", [EVENT, EVENT | {"action_name": "purchase"}], "each entry on its own",
         kinds=("click", "conversion")),
    _no_event("any other `action_name`", "ignored", status=200, action_name="brand_filter"),
    _no_event("no `query_id`", "ignored: belongs to no search", status=200, query_id=...),
    _no_event("a click without object", "ignored", status=200, event_attributes=...),
    _no_event("`ordinal` -1", "ignored: a filter, not a hit", status=200, event_attributes=_at({"ordinal": -1})),
    _no_event("no `action_name`", "refused", action_name=...),
    _no_event("no `timestamp`", "refused", timestamp=...),
    _no_event("`timestamp` without zone", "refused", timestamp="2026-01-04T10:00:00"),
    _no_event("`timestamp` in the future", "refused", timestamp="2027-01-01T00:00:00Z"),
    _no_event("a text over 100 characters", "refused", session_id=LONG),
    _no_event("`message` over 1,024 characters", "refused", message="x" * 1025),
    _no_event("`ordinal` and `xy`", "refused", event_attributes=_at({"ordinal": 1, "xy": {"x": 1, "y": 1}})),
    _no_event("`ordinal` that is no whole number", "refused", event_attributes=_at({"ordinal": "2"})),
    _no_event("`x` that is no number", "refused", event_attributes=_at({"xy": {"x": "left", "y": 1}})),
    _no_event("an object without `object_id`", "refused", event_attributes=_about(object_id_field="sku")),
    _no_event("`object_id` over 256 characters", "refused", event_attributes=_about(object_id="x" * 257)),
    Case("UBI event", "an entry that is no object", ["click"], "refused", 422),
    Case("UBI event", "a body that is not JSON", b"\xff", "refused", 400),
)  # fmt: skip
