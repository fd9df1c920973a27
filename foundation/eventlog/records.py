"""Impressions and events as log records, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.eventlog.protocol import Record
from foundation.ids import canonical_json

_RARE = {
    "run": 0,
    "plan_hash": "",
    "first_difference": 0,
    "had_evidence": False,
    "known": False,
    "took_ms": 0.0,
}
"""Fields that most searches have no value for, and what a record without them means."""

_RARE_OF_RESULTS = ("own_ranks", "forced")
"""Fields of a result that say nothing where they are empty, and are left out then."""

_OF_IMPRESSION, _OF_RESULT, _OF_EVENT = (
    tuple(field.name for field in fields(kind) if field.name not in {*_RARE, *_RARE_OF_RESULTS, "name"})
    for kind in (Impression, ShownResult, FeedbackEvent)
)


def impression_record(impression: Impression) -> Record:
    """Return the log record of an answered search; keyed by its query id."""
    results = [_result_fields(result) for result in impression.results]
    rare = {name: value for name, usual in _RARE.items() if (value := getattr(impression, name)) != usual}
    more = {"kind": "impression", "at": impression.at.isoformat(), "results": results}
    body = _fields(impression, _OF_IMPRESSION) | rare | more
    return Record(f"{impression.collection}/{impression.query_id}", canonical_json(body))


def event_record(event: FeedbackEvent) -> Record:
    """Return the log record of a feedback event; keyed by its query id, beside the impression's."""
    more = {"kind": "event", "at": event.at.isoformat(), "received_at": event.received_at.isoformat()}
    more |= {"name": event.name} if event.name else {}
    return Record(f"{event.collection}/{event.query_id}", canonical_json(_fields(event, _OF_EVENT) | more))


def read_record(record: Record) -> Impression | FeedbackEvent:
    """Return what `impression_record` or `event_record` wrote.

    Raises:
        ValueError: The body is neither; the message says what is wrong.
    """
    try:
        body: dict[str, Any] = json.loads(record.body)
        kind = body.pop("kind")
        if kind == "impression":
            results = tuple(_result(result) for result in body.pop("results"))
            return Impression(**body | {"results": results, "at": datetime.fromisoformat(body["at"])})
        if kind == "event":
            times = {name: datetime.fromisoformat(body[name]) for name in ("at", "received_at")}
            return FeedbackEvent(**body | times)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"log record {record.position} cannot be read: {problem!r}") from problem
    raise ValueError(f"log record {record.position} has the unknown kind {kind!r}")


def _result_fields(result: ShownResult) -> dict[str, Any]:
    rare = {name: value for name in _RARE_OF_RESULTS if (value := getattr(result, name))}
    return _fields(result, _OF_RESULT) | rare


def _result(value: dict[str, Any]) -> ShownResult:
    if "own_ranks" in value:
        value["own_ranks"] = tuple(value["own_ranks"])
    return ShownResult(**value)


def _fields(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a dataclass; `asdict` would copy every one of them, which took half of a batch's time."""
    return {name: getattr(value, name) for name in names}
