"""What comes out of the event log, checked before it reaches the database."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from collector.intake.schemas.native import MAX_SOURCE
from foundation.contracts import EVENT_NAME, EVENT_TYPES, FeedbackEvent, Impression, ShownResult
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import read_record
from foundation.texts import MAX_QUERY_BYTES, query_fault

UNREADABLE = (ValueError, OverflowError, RecursionError)
"""What `read_checked` raises of a record that is not fit: numbers and nesting beyond all measure too."""

_MAX_RANK = 1_000_000
_MAX_RUN = 1_000_000
_MAX_ARMS = 8


def read_checked(record: Record) -> Impression | FeedbackEvent:
    """Return the impression or event in a log record, fit to be stored.

    Raises:
        ValueError: It is neither, or a field cannot be stored; the message says which.
        OverflowError: A number or moment is beyond what can be counted with.
    """
    content = read_record(record)
    if isinstance(content, Impression):
        _check_impression(content)
    else:
        _check_event(content)
    return content


def _check_impression(impression: Impression) -> None:
    _check_texts(impression, {"collection": 64, "query_id": 128, "query": MAX_QUERY_BYTES})
    if reason := query_fault(impression.query):
        raise ValueError(f"query {reason}")
    _check_texts(impression, {"unit": 256, "version": 64, "experiment": 64, "arm": 32, "surface": 32, "drawn_by": 256})
    _check_texts(impression, {"plan_hash": 64})
    _check_whole("run", impression.run, 0, _MAX_RUN)
    _check_whole("first_difference", impression.first_difference, 0, _MAX_RANK)
    _check_flag("had_evidence", impression.had_evidence)
    _check_flag("known", impression.known)
    _check_number("took_ms", impression.took_ms)
    if impression.took_ms < 0:
        raise ValueError(f"took_ms must be at least 0, is {impression.took_ms!r:.100}")
    _check_moment("at", impression.at)
    for result in impression.results:
        _check_result(result)


def _check_result(result: ShownResult) -> None:
    _check_text("results.id", result.id, 256)
    _check_text("results.team", result.team, 64)
    _check_number("results.score", result.score)
    _check_number("results.propensity", result.propensity)
    _check_whole("results.rank", result.rank, 1, _MAX_RANK)
    _check_flag("results.forced", result.forced)
    if result.own_ranks:
        _check_own_ranks(result.own_ranks)


def _check_own_ranks(ranks: Sequence[object]) -> None:
    if len(ranks) > _MAX_ARMS:
        raise ValueError(f"results.own_ranks holds more than {_MAX_ARMS} ranks")
    for rank in ranks:
        if type(rank) is not int or not 0 <= rank <= _MAX_RANK:
            raise ValueError(f"results.own_ranks must be whole numbers from 0 on, is {rank!r:.100}")


def _check_event(event: FeedbackEvent) -> None:
    _check_texts(event, {"collection": 64, "id": 128, "query_id": 128, "document_id": 256, "user": 256})
    _check_number("value", event.value)
    _check_moment("at", event.at)
    _check_moment("received_at", event.received_at)
    _check_texts(event, {"source": MAX_SOURCE, "distrusted": 32})
    if event.position is not None and (type(event.position) is not int or abs(event.position) > _MAX_RANK):
        raise ValueError(f"position must be a whole number, is {event.position!r:.100}")
    if event.type not in EVENT_TYPES:
        raise ValueError(f"type must be one of {', '.join(EVENT_TYPES)}, is {event.type!r:.100}")
    _check_text("name", event.name, 32)
    if bool(EVENT_NAME.fullmatch(event.name)) != (event.type == "custom"):
        raise ValueError(f"name must be given to custom events and to no others, is {event.name!r:.100}")


def _check_texts(record: Impression | FeedbackEvent, limits: Mapping[str, int]) -> None:
    for name, limit in limits.items():
        _check_text(name, getattr(record, name), limit)


def _check_text(name: str, value: object, limit: int) -> None:
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError(f"{name} must be a text of at most {limit} characters, is {value!r:.100}")
    if "\x00" in value:
        raise ValueError(f"{name} holds a NUL character, which databases cannot store")
    value.encode()  # a lone half of a surrogate pair raises UnicodeEncodeError, a ValueError that names it


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, is {value!r:.100}")


def _check_flag(name: str, value: object) -> None:
    if type(value) is not bool:
        raise ValueError(f"{name} must be true or false, is {value!r:.100}")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, is {value!r:.100}")


def _check_moment(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{name} must name its zone, is {value}")
    value.astimezone(UTC)  # a moment beyond the calendar raises OverflowError
