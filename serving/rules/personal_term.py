"""The term of the score by what the person who asks chose before; a collection has one at most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as told
from typing import Any, ClassVar, Literal

from foundation.errors import FieldFault
from serving.index.fields.filters import unknown_field
from serving.index.fields.values import FieldType

PERSONAL = "personal"
"""Its name among the terms."""

MAX_BY = 5.0
MAX_PLACES = 10
MAX_FIELDS = 10
_KINDS: frozenset[FieldType] = frozenset({"keyword", "boolean"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTerm:
    """By the person's taste, see `serving.personal.taste`: at most `by` up or down, and so many places."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    kind: Literal["personal"]
    by: float = told(default=1.0, metadata={"description": "How far it may move a score, in log-odds."})
    max_places: int = told(default=5, metadata={"description": "How many places it may move a document, up or down."})
    half_life_days: float = told(default=90.0, metadata={"description": "Age at which a choice counts half."})
    fields: tuple[str, ...] = told(
        default=(), metadata={"description": "Fields of keywords or truth values in which tastes may show."}
    )


def check_personal(term: PersonalTerm, types: Mapping[str, FieldType], path: str) -> Iterator[FieldFault]:
    """Yield what is wrong with the personal term where documents have such fields.

    Args:
        path: Its name.
    """
    if path != PERSONAL:
        yield FieldFault(path, f"must be named {PERSONAL}: a collection has one such term")
    if not 0 < term.by <= MAX_BY:
        yield FieldFault(f"{path}.by", f"must be above 0 and at most {MAX_BY:g}")
    if not 1 <= term.max_places <= MAX_PLACES:
        yield FieldFault(f"{path}.max_places", f"must be from 1 to {MAX_PLACES}")
    if not 0 < term.half_life_days < math.inf:
        yield FieldFault(f"{path}.half_life_days", "must be above 0")
    if len(term.fields) > MAX_FIELDS:
        yield FieldFault(f"{path}.fields", f"must be at most {MAX_FIELDS}")
    for place, name in enumerate(term.fields):
        if name not in types:
            yield FieldFault(f"{path}.fields[{place}]", unknown_field(name, types))
        elif types[name] not in _KINDS:
            yield FieldFault(f"{path}.fields[{place}]", f"must be a keyword or a boolean, is a {types[name]}")
