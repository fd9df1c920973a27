"""Algolia Insights events, with the rules and messages of its API.

Lenient, the intake also takes events of any age, which strictly are refused after four days, ids that are
whole numbers, clickloop's own query ids, which are no 32 hexadecimal digits, and properties that it does not know:
libraries add some from release to release.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Any

from collector.intake.schemas.fields import MAX_AHEAD, kind_of
from collector.intake.schemas.foreign import body_id, instant_of
from collector.intake.schemas.native import MAX_DOCUMENT_ID
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import FeedbackEvent
from foundation.errors import FieldFault
from foundation.texts import NOT_TEXT, as_id

MAX_OBJECTS = 20
MAX_EVENTS = 1000
MAX_BODY_BYTES = 2 * 2**20
TELEMETRY = ("instantsearch", "instantsearch_telemetry")
"""What InstantSearch calls events about itself."""

_SOURCE = "algolia"
_MAX_AGE = timedelta(days=4)
_MAX_FAULTS = 20
_EVENT_NAME = re.compile(r"[\x20-\x7e]{1,64}")
_USER_TOKEN = re.compile(r"[A-Za-z0-9_=/+-]{1,129}")
_QUERY_ID = re.compile(r"[0-9a-f]{32}")
_OWN_QUERY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "eventType": str,
    "eventSubtype": str,
    "eventName": str,
    "index": str,
    "userToken": str,
    "authenticatedUserToken": str,
    "timestamp": (int, float),
    "queryID": str,
    "objectIDs": list,
    "filters": list,
    "positions": list,
    "objectData": list,
    "value": (int, float, str),
    "currency": str,
    "objectIDsWithInferredQueryID": list,
    "algoliaSource": list,
}
_OBJECT_DATA = frozenset({"queryID", "price", "discount", "quantity"})
_EXPECTED = {str: "string", list: "array", (int, float): "number", (int, float, str): "number or string"}

_NAME = "EventName must contain only visible ASCII characters, and be between 1 and 64 characters long"
_WRONG_USER = (
    "UserToken must contain only alphanumeric, equal, plus, slash, hyphen, or underscore characters, "
    "and be between 1 and 129 characters long"
)
_TYPE = 'EventType must be one of "click", "conversion" or "view"'
_SUBTYPE = 'EventSubtype must be "addToCart" or "purchase"'
_QUERY = "Query ID must be a search query ID (32 characters hexadecimal string)"
_OLD = "The timestamp must be at most 4 days in the past"
_AHEAD = "The timestamp must not lie in the future"
_WHICH = "Event should specify either some ObjectIDs or some Filters"
_BOTH = "Event should specify ObjectIDs or Filters, but not both"
_CLICKS_ONLY = "Only event of type click should specify the positions attribute"
_NO_QUERY = "Event of type click with positions should specify a queryID"
_POSITIVE = "Event of type click may only have strictly positive positions"
_NO_INTEGERS = "Invalid type for field positions: expected array of integers"
_SAME_NUMBER = "Event of type click should have the same number of ObjectIDs and Positions"


def parse(value: Any, collection: str, now: datetime, *, strict: bool = False) -> Parsed:
    """Return what an Insights event amounts to, or its faults with Algolia's messages.

    Each object of the event becomes an event of its own, with its own query where `objectData` names one.

    Args:
        now: When the event happened, too, if it does not say.
        strict: Refuse what Algolia refuses and clickloop could take.
    """
    if not isinstance(value, dict):
        return [FieldFault("event", f"Invalid type for field events: expected object, got {kind_of(value)}")]
    event = {name: given for name, given in value.items() if given is not None}
    if not strict:
        event |= _ids_as_text(event)
    if event.get("eventType") in TELEMETRY:
        return Taken(ignored="telemetry of InstantSearch says nothing about documents")
    faults = _type_faults(event, strict)
    if not faults:
        faults = [*_value_faults(event, strict), *_list_faults(event), *_moment_faults(event, now, strict)]
    return faults[:_MAX_FAULTS] or _events(event, collection, now)


def _ids_as_text(event: dict[str, Any]) -> dict[str, Any]:
    """Return the ids of an event as clickloop takes them everywhere: whole numbers as text."""
    texts: dict[str, Any] = {
        name: as_id(event[name]) for name in ("userToken", "authenticatedUserToken") if name in event
    }
    if isinstance(event.get("objectIDs"), list):
        texts["objectIDs"] = [as_id(one) for one in event["objectIDs"]]
    return texts


def _type_faults(event: dict[str, Any], strict: bool) -> list[FieldFault]:
    """Return the faults of JSON types, and strictly of unknown properties."""
    faults = [
        FieldFault(name[:128], f"Invalid payload: {name[:128]} is not a property of an event")
        for name in event
        if strict and name not in _TYPES
    ]
    for name, wanted in _TYPES.items():
        given = event.get(name)
        if given is not None and (isinstance(given, bool) or not isinstance(given, wanted)):
            expected = _EXPECTED[wanted]
            faults.append(FieldFault(name, f"Invalid type for field {name}: expected {expected}, got {kind_of(given)}"))
    return faults


def _value_faults(event: dict[str, Any], strict: bool) -> list[FieldFault]:
    """Return the faults of single values."""
    subtype, kind = event.get("eventSubtype", ""), event.get("eventType", "")
    rules = [
        ("eventName", not event.get("eventName"), "EventName is required"),
        ("eventName", not _fits(_EVENT_NAME, event.get("eventName")), _NAME),
        ("eventType", not kind, "EventType is required"),
        ("eventType", kind not in {"", "click", "conversion", "view"}, _TYPE),
        ("eventSubtype", subtype not in {"", "addToCart", "purchase"}, _SUBTYPE),
        ("eventSubtype", bool(subtype) and kind != "conversion", "Only conversions may have an eventSubtype"),
        ("index", not event.get("index"), "The index field is required"),
        ("index", len(event.get("index", "")) > 256, "The index must have at most 256 characters"),
        ("userToken", not event.get("userToken"), "The userToken field is required"),
        ("userToken", not _fits(_USER_TOKEN, event.get("userToken")), _WRONG_USER),
        ("authenticatedUserToken", not _fits(_USER_TOKEN, event.get("authenticatedUserToken")), _WRONG_USER),
        ("queryID", not _is_query_id(event.get("queryID"), strict), _QUERY),
        ("value", not _is_amount(event.get("value")), "Value must be a number"),
        ("currency", not _fits(_CURRENCY, event.get("currency")), "Currency must be a code of ISO 4217"),
    ]
    return [FieldFault(name, message) for name, broken, message in rules if broken]


def _list_faults(event: dict[str, Any]) -> list[FieldFault]:
    """Return the faults of objects, filters, positions and what belongs to each object."""
    objects, filters = event.get("objectIDs"), event.get("filters")
    rules = [
        ("filters", bool(objects and filters), _BOTH),
        ("objectIDs", not objects and not filters, _WHICH),
        ("objectIDs", not _are_texts(objects, MAX_DOCUMENT_ID), f"ObjectIDs must be 1 to {MAX_OBJECTS} strings"),
        ("filters", not _are_filters(filters), f"Filters must be 1 to {MAX_OBJECTS} URL-encoded facet:value pairs"),
    ]
    faults = [FieldFault(name, message) for name, broken, message in rules if broken]
    return [*faults, *_position_faults(event, objects or []), *_data_faults(event, objects or [])]


def _position_faults(event: dict[str, Any], objects: list[Any]) -> list[FieldFault]:
    positions = event.get("positions")
    is_click, has_query = event.get("eventType") == "click", "queryID" in event
    if positions is None:
        return [FieldFault("positions", _SAME_NUMBER)] if is_click and has_query and objects else []
    rules = [
        (not is_click, _CLICKS_ONLY),
        (is_click and not has_query, _NO_QUERY),
        (any(type(one) is not int for one in positions), _NO_INTEGERS),
        (any(type(one) is int and not 1 <= one <= 1_000_000 for one in positions), _POSITIVE),
        (is_click and len(positions) != len(objects), _SAME_NUMBER),
    ]
    return [FieldFault("positions", message) for broken, message in rules if broken]


def _data_faults(event: dict[str, Any], objects: list[Any]) -> list[FieldFault]:
    data = event.get("objectData")
    if data is None:
        return []
    if len(data) != len(objects):
        return [FieldFault("objectData", "ObjectData must have the same length as ObjectIDs")]
    faults = []
    for index, one in enumerate(data):
        if not isinstance(one, dict):
            faults.append(FieldFault(f"objectData.{index}", "Invalid type for field objectData: expected object"))
        elif unknown := [name for name in one if name not in _OBJECT_DATA]:
            faults.append(FieldFault(f"objectData.{index}", f"Invalid payload: {unknown[0][:128]} is not a property"))
        elif not _is_query_id(one.get("queryID"), strict=False):
            faults.append(FieldFault(f"objectData.{index}.queryID", _QUERY))
        elif not (_is_amount(one.get("price")) and _is_amount(one.get("discount"))):
            faults.append(FieldFault(f"objectData.{index}", "Price and discount must be numbers"))
        elif type(one.get("quantity", 1)) is not int or not 0 <= one.get("quantity", 1) < 2**31:
            faults.append(FieldFault(f"objectData.{index}.quantity", "Quantity must be a whole number"))
    return faults


def _moment_faults(event: dict[str, Any], now: datetime, strict: bool) -> list[FieldFault]:
    given = event.get("timestamp")
    if given is None:
        return []
    at = instant_of(given)
    if at is None:
        return [FieldFault("timestamp", "The timestamp must be milliseconds since 1970")]
    if at > now + MAX_AHEAD:
        return [FieldFault("timestamp", _AHEAD)]
    return [FieldFault("timestamp", _OLD)] if strict and at < now - _MAX_AGE else []


def _events(event: dict[str, Any], collection: str, now: datetime) -> Taken:
    """Return the events of a valid one, or why there are none."""
    if event["eventType"] == "view":
        return Taken(ignored="a view belongs to no search")
    if not event.get("objectIDs"):
        return Taken(ignored="an event about filters says nothing about documents")
    count = len(event["objectIDs"])
    data = event.get("objectData") or [{}] * count
    positions = event.get("positions") or [None] * count
    at = now if event.get("timestamp") is None else instant_of(event["timestamp"]) or now
    content = tuple(
        FeedbackEvent(
            collection=collection,
            id=body_id(_SOURCE, event, index),
            type="click" if event["eventType"] == "click" else "conversion",
            query_id=query_id,
            document_id=document_id,
            user=event.get("authenticatedUserToken") or event["userToken"],
            value=_worth(event, one, count),
            at=at,
            received_at=now,
            source=_SOURCE,
            position=position,
        )
        for index, (document_id, one, position) in enumerate(zip(event["objectIDs"], data, positions, strict=True))
        if (query_id := one.get("queryID") or event.get("queryID", ""))
    )
    return Taken(content) if content else Taken(ignored="an event without queryID belongs to no search")


def _worth(event: dict[str, Any], one: dict[str, Any], count: int) -> float:
    """Return what one object's conversion is worth: its price, else its share of the event's value."""
    if event["eventType"] != "conversion":
        return 0.0
    if one.get("price") is not None:
        return max(0.0, float(one["price"]) * float(one.get("quantity", 1)))
    return max(0.0, float(event.get("value", 0.0)) / count)


def _fits(pattern: re.Pattern[str], given: Any) -> bool:
    return not given or pattern.fullmatch(given) is not None


def _is_query_id(given: Any, strict: bool) -> bool:
    if given is None:
        return True
    if not isinstance(given, str):
        return False
    return bool(_QUERY_ID.fullmatch(given) or (not strict and _OWN_QUERY_ID.fullmatch(given)))


def _is_amount(given: Any) -> bool:
    """Return whether a price is absent, a number, or digits in a string."""
    if isinstance(given, str):
        return _NUMBER.fullmatch(given) is not None
    if isinstance(given, bool):
        return False
    return given is None or (isinstance(given, int | float) and abs(given) < 1e15 and math.isfinite(given))


def _are_texts(given: Any, limit: int) -> bool:
    """Return whether a list is absent, or of 1 to 20 strings of 1 to `limit` printable characters."""
    if given is None:
        return True
    texts = [one for one in given if isinstance(one, str) and 1 <= len(one) <= limit and not NOT_TEXT.search(one)]
    return 1 <= len(given) <= MAX_OBJECTS and len(texts) == len(given)


def _are_filters(given: Any) -> bool:
    """Return whether filters are absent, or texts with a colon, which search-insights encodes."""
    return _are_texts(given, 1000) and all(":" in one or "%3a" in one.lower() for one in given or ())
