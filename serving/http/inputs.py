"""What requests about searches may hold, as types that pydantic checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from foundation.texts import as_id, query_fault, spaced
from serving.paging.cursor import MAX_CHARACTERS as MAX_CURSOR_CHARACTERS

MAX_QUERY_CHARACTERS = 1000

_FIRST_PRINTABLE = " "


def _printable(text: str) -> str:
    if any((letter < _FIRST_PRINTABLE and letter not in "\t\n\r") or letter == "\x7f" for letter in text):
        raise ValueError("must not hold control characters")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be valid Unicode, without half of a surrogate pair")
    return text


def _keepable(text: str) -> str:
    if not text.strip():
        raise ValueError("must hold at least one visible character")
    if reason := query_fault(text):
        raise ValueError(reason)
    return text


QueryText = Annotated[
    str,
    Field(max_length=MAX_QUERY_CHARACTERS),
    AfterValidator(spaced),
    AfterValidator(_printable),
    AfterValidator(_keepable),
]
"""What a person asks."""


def _storable(text: str) -> str:
    return _keepable(text) if text.strip() else ""


SearchText = Annotated[
    str,
    Field(max_length=MAX_QUERY_CHARACTERS),
    AfterValidator(spaced),
    AfterValidator(_printable),
    AfterValidator(_storable),
]
"""What a person searches for; nothing, for everything."""

CursorText = Annotated[str, Field(max_length=MAX_CURSOR_CHARACTERS, pattern=r"^(\*|[A-Za-z0-9_-]*)$")]
"""Where a list goes on."""

Name = Annotated[
    str, Field(max_length=256), BeforeValidator(as_id, json_schema_input_type=str | int), AfterValidator(_printable)
]
"""An id that an app gives, a text or a whole number."""

CandidateId = Annotated[
    str,
    Field(min_length=1, max_length=256),
    BeforeValidator(as_id, json_schema_input_type=str | int),
    AfterValidator(_printable),
]
"""The id of a document, in the catalog or not."""

RankingId = Annotated[
    str,
    Field(min_length=1, max_length=128),
    BeforeValidator(as_id, json_schema_input_type=str | int),
    AfterValidator(_printable),
]
"""What an app itself calls a search."""

ArmName = Annotated[str, Field(max_length=97), AfterValidator(_printable)]
"""An experiment's id, a colon and the name of an arm."""

QueryId = Annotated[str, Field(max_length=36), AfterValidator(_printable)]
"""The id of an answer to a search."""

MAX_ATTRIBUTES = 16
Short = Annotated[str, Field(max_length=64), AfterValidator(_printable)]
Attributes = Annotated[dict[Short, Short], Field(max_length=MAX_ATTRIBUTES)]
"""What an app says of a search, by name."""

Surface = Annotated[str, Field(pattern="^[a-z0-9_-]{1,32}$")]
"""Where an answer is shown."""
