"""Metarank's feedback events: items become properties of documents, rankings impressions, interactions events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from collector.intake.schemas.fields import kind_of
from collector.intake.schemas.foreign import MAX_SHOWN, Fields, action_of
from collector.intake.schemas.native import MAX_DOCUMENT_ID, MAX_ID, MAX_USER
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.contracts import EXTERNAL, FeedbackEvent, Impression, ShownResult
from foundation.eventlog.sizes import list_fault
from foundation.texts import query_fault, spaced

EVENTS = ("item", "metadata", "user", "ranking", "interaction")

_SOURCE = "metarank"
_TEXTS = frozenset({"title", "text", "url"})
_MAX_NAME = 256
_NO_QUERY = "a ranking whose fields name no query has no evidence of its own; send it as the field named query"


def parse(value: Any, collection: str, now: datetime) -> Parsed:
    """Return what a Metarank event amounts to, or its faults.

    An interaction's id is the event's, a ranking's id the impression's, so a repeat changes nothing.
    """
    fields = Fields(value)
    if not isinstance(value, dict):
        return fields.faults
    event = fields.text("event", MAX_ID, required=True)
    if event and event not in EVENTS:
        fields.fault("event", f"must be one of {', '.join(EVENTS)}, is {event!r}")
    fields.text("tenant", MAX_ID)
    id_ = fields.key("id", MAX_ID, required=True)
    at = fields.moment("timestamp", now, required=True)
    properties = _properties(fields)
    if event == "ranking":
        taken = _ranking(fields, properties, collection=collection, query_id=id_, at=at)
    elif event == "interaction":
        taken = _interaction(fields, collection=collection, id_=id_, at=at, now=now)
    else:
        taken = _metadata(fields, event, properties)
    return fields.faults or taken


def _metadata(fields: Fields, event: str, properties: dict[str, Any]) -> Taken:
    if event == "user":
        fields.key("user", MAX_USER, required=True)
        return Taken(ignored="nothing is kept of users' properties")
    item = fields.key("item", MAX_DOCUMENT_ID, required=bool(event))
    for name in _TEXTS & properties.keys():
        if not isinstance(properties[name], str):
            fields.fault("fields", f"{name} must be a string, for it is the document's own")
        else:
            properties[name] = spaced(properties[name])
    return Taken(items={item: properties}) if properties else Taken(ignored="an item without fields changes nothing")


def _ranking(fields: Fields, properties: dict[str, Any], *, collection: str, query_id: str, at: datetime) -> Taken:
    unit = _user(fields) or query_id
    results = _results(fields)
    query = properties.get("query", "")
    if not isinstance(query, str):
        fields.fault("fields", f"query must be a string, is {kind_of(query)}")
        return Taken()
    if reason := query_fault(query):
        fields.fault("fields", f"query {reason}")
    if not query.strip():
        return Taken(ignored=_NO_QUERY)
    return Taken((Impression(collection, query_id, query, unit, EXTERNAL, results, at),))


def _interaction(fields: Fields, *, collection: str, id_: str, at: datetime, now: datetime) -> Taken:
    item = fields.key("item", MAX_DOCUMENT_ID, required=True)
    word = fields.text("type", MAX_ID, required=True)
    ranking = fields.key("ranking", MAX_ID)
    user = _user(fields)
    event_type = action_of(word)
    if event_type is None:
        return Taken(ignored=f"nothing is learned from the interaction {word!r}")
    if not ranking:
        return Taken(ignored="an interaction without ranking belongs to no search")
    return Taken((FeedbackEvent(collection, id_, event_type, ranking, item, user, 0.0, at, now, _SOURCE),))


def _user(fields: Fields) -> str:
    """Return whom to count: the user, else the session; both are checked."""
    user, session = fields.key("user", MAX_USER), fields.key("session", MAX_USER)
    return user or session


def _properties(fields: Fields, name: str = "fields") -> dict[str, Any]:
    """Return the properties by name of an array of `{name, value}`; equal names: the last one counts."""
    found: dict[str, Any] = {}
    for index, given in enumerate(fields.array(name)):
        one = Fields(given, f"{name}.{index}.")
        key = one.text("name", _MAX_NAME, required=True)
        value = given.get("value") if isinstance(given, dict) else None
        if isinstance(given, dict) and (reason := _value_fault(value)):
            one.fault("value", reason)
        for fault in one.faults:
            fields.fault(fault.field, fault.reason)
        found[key] = value
    return found


def _value_fault(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return ""
    if isinstance(value, str):
        return "must not hold NUL" if "\x00" in value else ""
    if isinstance(value, list):
        kinds = {kind_of(one) for one in value}
        if any("\x00" in one for one in value if isinstance(one, str)):
            return "must not hold NUL"
        return "" if kinds in ({"string"}, {"number"}, set()) else "must be an array of strings or one of numbers"
    return f"must be a boolean, number, string or array, is {kind_of(value)}"


def _results(fields: Fields) -> tuple[ShownResult, ...]:
    given = fields.array("items", required=True)
    if not 1 <= len(given) <= MAX_SHOWN:
        if given or fields.get("items") == []:
            fields.fault("items", f"must have 1 to {MAX_SHOWN} items, has {len(given)}")
        return ()
    found: dict[str, ShownResult] = {}
    for rank, item in enumerate(given, 1):
        one = Fields(item, f"items.{rank - 1}.")
        result = ShownResult(one.key("id", MAX_DOCUMENT_ID, required=True), rank, _relevancy(one))
        found.setdefault(result.id, result)
        for fault in one.faults:
            fields.fault(fault.field, fault.reason)
    shown = tuple(found.values())
    if reason := list_fault(shown):
        fields.fault("items", reason)
    return shown


def _relevancy(item: Fields) -> float:
    """Return the score that an item was ranked by, 0 without one; its other optional fields are checked."""
    score = item.get("relevancy")
    for name, value in _properties(item).items():
        score = value if name == "relevancy" and score is None else score
    label = item.get("label")
    if label is not None and not (type(label) is int or (isinstance(label, str) and label.isdigit())):
        item.fault("label", "must be a whole number")
    if score is None:
        return 0.0
    if isinstance(score, bool) or not isinstance(score, int | float) or not abs(score) < 1e300:
        item.fault("relevancy", "must be a finite number")
        return 0.0
    return float(score)
