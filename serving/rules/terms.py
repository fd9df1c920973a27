"""Terms of the score that an owner adds: boosts, numbers, popularity, age and distance.

Each is worth `by` log-odds at most, beside the 10 that words and meaning are worth together, and nothing where the
document has no value. All of them are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as told
from typing import Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from pydantic import Field

from foundation.arrays import Doubles, Flags, Ints
from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import Condition, Near, parse_filter, read_place, unknown_field
from serving.index.fields.table import FieldTable
from serving.index.fields.values import FieldType
from serving.rules.personal_term import PersonalTerm
from serving.rules.rule_book import Situation

_DAY_US = 86_400_000_000


class FieldsByRow(Protocol):
    """Documents by row, as far as rules and terms look at them."""

    @property
    def fields(self) -> FieldTable:
        """Their fields."""

    def matching(self, condition: Condition) -> Flags:
        """Return which rows satisfy a condition, bool by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedTerm:
    """What all terms have."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    by: float = told(default=1.0, metadata={"description": "What it is worth, in log-odds; below 0 it buries."})


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostTerm(WeighedTerm):
    """`by` for all documents that a filter lets through."""

    kind: Literal["boost"]
    filter: dict[str, Any] = told(metadata={"description": "A filter, as of a search."})


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTerm(WeighedTerm):
    """By a number: nothing at `low`, `by` at `high`, evenly between them; `low` may be the larger one."""

    kind: Literal["number"]
    field: str = told(metadata={"description": "A field of numbers."})
    low: float = told(metadata={"description": "Where it is worth nothing."})
    high: float = told(metadata={"description": "Where it is worth all."})


@dataclass(frozen=True, slots=True, kw_only=True)
class PopularityTerm(WeighedTerm):
    """By a count, such as of sales, evenly by its logarithm: `by` at `full` and above."""

    kind: Literal["popularity"]
    field: str = told(metadata={"description": "A field of counts."})
    full: float = told(metadata={"description": "The count from which on it is worth all."})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeTerm(WeighedTerm):
    """By a date: `by` for what is new, half of it after each half-life; what lies ahead counts as new."""

    kind: Literal["age"]
    field: str = told(metadata={"description": "A field of dates."})
    half_life_days: float = told(metadata={"description": "Age at which half is left."})


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceTerm(WeighedTerm):
    """By the distance of a place from where the search is asked: `by` at hand, half of it after each half-distance."""

    kind: Literal["distance"]
    field: str = told(metadata={"description": "An object with the numbers lat and lon."})
    half_km: float = told(metadata={"description": "Distance at which half is left."})


ScoreTerm = BoostTerm | NumberTerm | PopularityTerm | AgeTerm | DistanceTerm
Term = Annotated[ScoreTerm | PersonalTerm, Field(discriminator="kind")]


def check_term(term: ScoreTerm, types: Mapping[str, FieldType], path: str) -> FieldFault | None:
    """Return what is wrong with a term where documents have such fields, None for nothing."""
    match term:
        case BoostTerm():
            return next(iter(filter_faults(term.filter, f"{path}.filter", types)), None)
        case DistanceTerm() if not term.half_km > 0:
            return FieldFault(f"{path}.half_km", "must be above 0")
        case DistanceTerm():
            place = read_place({"lat": 0.0, "lon": 0.0}, term.field, types, needs_km=False)
            return FieldFault(f"{path}.field", place) if isinstance(place, str) else None
        case NumberTerm() if term.low == term.high:
            return FieldFault(f"{path}.high", "must differ from low")
        case PopularityTerm() if not term.full > 0:
            return FieldFault(f"{path}.full", "must be above 0")
        case AgeTerm() if not term.half_life_days > 0:
            return FieldFault(f"{path}.half_life_days", "must be above 0")
    wanted: FieldType = "date" if isinstance(term, AgeTerm) else "number"
    if term.field not in types:
        return FieldFault(f"{path}.field", unknown_field(term.field, types))
    if types[term.field] != wanted:
        return FieldFault(f"{path}.field", f"must be a {wanted}, is a {types[term.field]}")
    return None


def weigh(term: ScoreTerm, corpus: FieldsByRow, rows: Ints, situation: Situation) -> Doubles:
    """Return what a term is worth for documents, shape (len(rows),); 0 where one has no value, or its field is another.

    Args:
        corpus: Whose rows they are.
    """
    table = corpus.fields
    match term:
        case BoostTerm():
            return term.by * lets_through(parse_filter(term.filter, table.types), corpus, rows)
        case NumberTerm():
            share = np.clip((table.numbers(term.field, rows) - term.low) / (term.high - term.low), 0.0, 1.0)
        case PopularityTerm():
            counts = np.maximum(table.numbers(term.field, rows), 0.0)
            share = np.minimum(np.log1p(counts) / np.log1p(term.full), 1.0)
        case AgeTerm():
            days = (situation.now.timestamp() * 1e6 - table.numbers(term.field, rows)) / _DAY_US
            share = 0.5 ** (np.maximum(days, 0.0) / term.half_life_days)
        case DistanceTerm():
            if situation.place is None:
                return np.zeros(len(rows))
            share = 0.5 ** (table.distances(Near(term.field, *situation.place, np.inf), rows) / term.half_km)
    worth: Doubles = term.by * np.nan_to_num(share, nan=0.0)
    return worth


def lets_through(condition: Condition, corpus: FieldsByRow, rows: Ints) -> Doubles:
    """Return 1 for rows that fulfil a condition, 0 for others, shape (len(rows),)."""
    mask = corpus.matching(condition)
    inside = rows < len(mask)
    through = np.zeros(len(rows))
    through[inside] = mask[rows[inside]]
    return through


def filter_faults(given: Any, path: str, types: Mapping[str, FieldType]) -> list[FieldFault]:
    """Return what is wrong with a filter where documents have such fields."""
    try:
        parse_filter(given, types)
    except InvalidRequest as problem:
        return [FieldFault(path + fault.field.removeprefix("filters"), fault.reason) for fault in problem.fields]
    return []
