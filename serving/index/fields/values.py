"""What a field of a document may hold: its type, and its value in the form that is compared."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

FieldType = Literal["keyword", "number", "date", "boolean"]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)

Value = str | float | bool
"""A keyword as it is, a number as float, a date as microseconds since 1970 in UTC (int), a boolean."""

MAX_KEYWORD_CHARACTERS = 512
"""Longer strings are text: they are searched, not filtered by."""

EXPECTED: Mapping[FieldType, str] = {
    "keyword": f"a string of at most {MAX_KEYWORD_CHARACTERS} characters",
    "number": "a number",
    "date": "an ISO 8601 date or time such as 2024-01-31 or 2024-01-31T09:30:00Z",
    "boolean": "true or false",
}

_MAX_SHOWN_CHARACTERS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)


def infer_type(value: Any) -> FieldType | None:
    """Return the type of a JSON value: a string that is a whole ISO date is a date; None for what has no type."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "keyword" if _read_date(value) is None else "date"
    return None


def read_value(value: Any, field_type: FieldType) -> Value | None:
    """Return a JSON value in the form that fields of `field_type` compare, None when it does not fit.

    A date without a time is its midnight; a time without a zone is UTC.
    """
    return _READERS[field_type](value)


def show_value(value: Value, field_type: FieldType) -> Value:
    """Return what `read_value` read as a JSON value that reads the same: whole numbers as int, dates as ISO."""
    if field_type == "number":
        return int(value) if float(value).is_integer() else value
    if field_type == "date":
        moment = _EPOCH + timedelta(microseconds=int(value))
        is_midnight = moment.time() == _EPOCH.time()
        return moment.date().isoformat() if is_midnight else moment.isoformat().replace("+00:00", "Z")
    return value


def quote_value(value: Any) -> str:
    """Return a JSON value as messages show it, cut to 40 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[: _MAX_SHOWN_CHARACTERS - 1] + "…"


def _read_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an int beyond the largest float
        return None
    return number if math.isfinite(number) else None


def _read_date(value: Any) -> int | None:
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:  # the 31st of February
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    microseconds = since // _MICROSECOND
    return microseconds if _FIRST <= microseconds <= _LAST else None


_READERS: Mapping[FieldType, Callable[[Any], Value | None]] = {
    "keyword": lambda value: value if isinstance(value, str) and len(value) <= MAX_KEYWORD_CHARACTERS else None,
    "number": _read_number,
    "date": _read_date,
    "boolean": lambda value: value if isinstance(value, bool) else None,
}
