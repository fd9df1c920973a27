"""Request bodies that carry many things: one JSON object, a JSON array, or NDJSON.

A body that cannot be read at all is refused as a whole. A single bad entry comes back with its fault, so that its
neighbours are kept. Of equal keys in one object the last one counts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from foundation.errors import FieldFault, InvalidRequest, UnreadableBody

NDJSON_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines"}
)
MAX_DEPTH = 64
"""Levels of nesting an entry may have; what is deeper would exhaust the stack of later readers."""

_MAX_DIGITS = 300  # more would not fit a float
_BOM = b"\xef\xbb\xbf"
_ODD_NUMBER = re.compile(rb"[0-9]{300}|[0-9][eE]\+?[0-9]{3}")
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|NaN|-?Infinity', re.DOTALL)
_CONSTANTS = frozenset({"NaN", "Infinity", "-Infinity"})
_NO_NUMBER = "holds a number that does not fit one of 64 bits"
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a body.

    Attributes:
        index: Its place among the body's entries, from 0.
        value: What it holds; None when it has a fault.
        fault: Why it cannot be used, or None.
    """

    index: int
    value: Any
    fault: FieldFault | None = None


def read_entries(raw: bytes, content_type: str, max_entries: int) -> list[Entry]:
    """Return the entries of a request body in order.

    NDJSON is read when `content_type` names it; blank lines are skipped. Anything else is read as JSON: an array holds
    its elements, an object is one entry. An entry has a fault if it holds a number that fits no float (1e999) or half
    of a surrogate pair, or is nested too deep.

    Raises:
        UnreadableBody: It is empty, not UTF-8 or not JSON; the message names line and column.
        InvalidRequest: It is neither an object nor an array, or has more than `max_entries`.
    """
    raw = raw.removeprefix(_BOM)
    if not raw.strip():
        raise UnreadableBody("the body is empty; send a JSON object, a JSON array or NDJSON lines")
    if content_type.partition(";")[0].strip().lower() in NDJSON_TYPES:
        return _read_lines(raw, max_entries)
    return _read_document(raw, max_entries)


def read_json(raw: bytes) -> Any:
    """Return the JSON value of a body, for callers that wrap their entries in an object of their own.

    Raises:
        UnreadableBody: As `read_entries`.
    """
    return _parse(raw.removeprefix(_BOM))


def to_entries(items: Sequence[Any], raw: bytes) -> list[Entry]:
    """Return `items`, which were read from `raw`, as entries; those that cannot be used have a fault."""
    doubts = _doubts(raw)
    return [_entry(index, item, f"[{index}]", doubts) for index, item in enumerate(items)]


def _read_document(raw: bytes, max_entries: int) -> list[Entry]:
    value = _parse(raw)
    if not isinstance(value, dict | list):
        fault = FieldFault("body", "must be a JSON object or an array of objects")
        raise InvalidRequest("the body is neither a JSON object nor an array", (fault,))
    items = value if isinstance(value, list) else [value]
    _check_count(len(items), max_entries)
    return to_entries(items, raw)


def _read_lines(raw: bytes, max_entries: int) -> list[Entry]:
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    _check_count(len(lines), max_entries)
    return [_read_line(index, number, line) for index, (number, line) in enumerate(lines)]


def _read_line(index: int, number: int, line: bytes) -> Entry:
    place = f"line {number}"
    try:
        value = _parse(line, number)
    except UnreadableBody as problem:
        return Entry(index, None, FieldFault(place, problem.detail.removeprefix("the body ")))
    return _entry(index, value, place, _doubts(line))


def _doubts(raw: bytes) -> tuple[bool, bool]:
    """Return whether a text may hold halves of characters, and numbers that no float is."""
    return _HALF_CHARACTER.search(raw) is not None, _ODD_NUMBER.search(raw) is not None


def _entry(index: int, value: Any, place: str, doubts: tuple[bool, bool]) -> Entry:
    halves, odd_numbers = doubts
    if _depth_exceeds(value, MAX_DEPTH):
        return Entry(index, None, FieldFault(place, _TOO_DEEP))
    if halves and not _is_text(value):
        return Entry(index, None, FieldFault(place, "holds half of a surrogate pair, which is not a character"))
    if odd_numbers and _holds_no_number(value):
        return Entry(index, None, FieldFault(place, _NO_NUMBER))
    return Entry(index, value)


def _parse(raw: bytes, first_line: int = 1) -> Any:
    """Return the JSON value in `raw`, whose first line is `first_line` of the body."""
    try:
        text = raw.decode()
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_short)
    except UnicodeDecodeError as problem:
        raise _unreadable("is not UTF-8", raw.decode("latin-1"), problem.start, first_line) from problem
    except json.JSONDecodeError as problem:
        raise _unreadable(f"is not JSON: {problem.msg}", text, problem.pos, first_line) from problem
    except (ValueError, RecursionError) as problem:
        offset, reason = _find_refused(text)
        raise _unreadable(reason, text, offset, first_line) from problem


def _unreadable(what: str, text: str, offset: int, first_line: int) -> UnreadableBody:
    line, column = first_line + text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset)
    return UnreadableBody(f"the body {what} (line {line}, column {column})")


def _find_refused(text: str) -> tuple[int, str]:
    """Return where in `text` the first token stands that the parser refuses, and why."""
    depth = 0
    for match in _TOKEN.finditer(text):
        word = match.group()
        depth += (word in "[{") - (word in "]}")
        if depth > MAX_DEPTH:
            return match.start(), f"is {_TOO_DEEP}"
        if word in _CONSTANTS:
            return match.start(), f"holds {word}, which is not a number of JSON"
    return 0, "cannot be read"


def _refuse(token: str) -> float:
    raise ValueError(f"{token} is not a JSON number")


def _finite(token: str) -> float:
    value = float(token)
    return value if math.isfinite(value) else math.nan  # its entry is refused, its neighbours are not


def _short(token: str) -> float:
    return int(token) if len(token) <= _MAX_DIGITS else math.nan


def _holds_no_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return any(map(_holds_no_number, _inside(value)))


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for item in level for child in _inside(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    """Return what a container holds directly; anything else holds nothing."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is_text(value: Any) -> bool:
    """Return whether every string in `value` can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise InvalidRequest(
            f"the body holds {count} entries; at most {limit} are taken at once",
            (FieldFault("body", f"send at most {limit} entries, the rest in further requests"),),
        )
