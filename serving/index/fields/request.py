"""Which fields a search sorts by, and of which it counts the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import Near, read_place, summarise, unknown_field
from serving.index.fields.values import FieldType, quote_value

RELEVANCE = "relevance"
MAX_KEYS = 8
MAX_FACETS = 20
FACET_VALUES = 20
MAX_FACET_VALUES = 1000
"""Most values of one field that an answer tells."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """Sort by a field; documents without a value come last either way.

    Attributes:
        descending: Of several values the largest counts, else the smallest.
    """

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """One field whose values a search counts.

    Attributes:
        limit: Most values told.
        contains: What a value must hold to be told, whatever its case and accents; "" tells all.
        multi: Whether the filter on the field itself is left out, as where several of its values may be chosen.
    """

    field: str
    limit: int = FACET_VALUES
    contains: str = ""
    multi: bool = False


def parse_sort(value: Any, types: Mapping[str, FieldType]) -> tuple[SortKey | Near, ...]:
    """Return the keys that a request sorts by before relevance, the most important first.

    Args:
        value: A field's name, with "-" in front for descending order, or a list of them;
            "relevance" ends the list, for no two documents are equally relevant. {"near": {"field": "place", "lat": 48,
            "lon": 16}} stands for the distance from a place, nearest first.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """

    def fault(name: str) -> str:
        if name == f"-{RELEVANCE}":
            return "cannot be turned round: relevance puts the best first"
        return "" if name == RELEVANCE else _unknown(name.removeprefix("-"), types)

    wanted = [value] if isinstance(value, str | dict) else value
    if not isinstance(wanted, list) or len(wanted) > MAX_KEYS:
        reason = f'must be a field or a list of at most {MAX_KEYS}, as in ["-price"]'
        raise _refusal("the sort is", [FieldFault("sort", reason)])
    places = [f"sort[{place}]" for place in range(len(wanted))] if isinstance(value, list) else ["sort"]
    named = list(zip(places, wanted, strict=True))
    near = {place: _read_near(place, one, types) for place, one in named if isinstance(one, dict)}
    _check("the sort is", ((place, one) for place, one in named if place not in near), fault)
    before = named[: wanted.index(RELEVANCE)] if RELEVANCE in wanted else named
    return tuple(near[at] if at in near else SortKey(one.removeprefix("-"), one.startswith("-")) for at, one in before)


def _read_near(place: str, wanted: dict[str, Any], types: Mapping[str, FieldType]) -> Near:
    asked = wanted.get("near") if wanted.keys() == {"near"} else None
    if not isinstance(asked, dict) or not isinstance(asked.get("field"), str):
        reason = 'must be a field, or {"near": {"field": …, "lat": …, "lon": …}}'
        raise _refusal("the sort is", [FieldFault(place, reason)])
    rest = {name: value for name, value in asked.items() if name != "field"}
    read = read_place(rest, asked["field"], types, needs_km=False)
    if isinstance(read, str):
        raise _refusal("the sort is", [FieldFault(f"{place}.near", read)])
    return read


def parse_facets(value: Any, types: Mapping[str, FieldType]) -> tuple[FacetRequest, ...]:
    """Return the fields that a request wants counted, each once.

    Args:
        value: A list of fields, each a name or an object of `field` and, as wanted, `limit`, `contains` and `multi`.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """
    if not isinstance(value, list) or len(value) > MAX_FACETS:
        raise _refusal("the facets are", [FieldFault("facets", f"must be a list of at most {MAX_FACETS} fields")])
    whole = [one if isinstance(one, dict) else {"field": one} for one in value]
    names = [one.get("field") for one in whole]
    places = [f"facets[{place}]{'.field' if isinstance(one, dict) else ''}" for place, one in enumerate(value)]
    _check("the facets are", zip(places, names, strict=True), lambda name: _unknown(name, types))
    faults = [fault for place, one in enumerate(whole) for fault in _faults_of_facet(f"facets[{place}]", one)]
    if faults:
        raise _refusal("the facets are", faults)
    first = {one["field"]: one for one in reversed(whole)}
    return tuple(FacetRequest(**first[name]) for name in dict.fromkeys(names))


def _faults_of_facet(place: str, wanted: dict[str, Any]) -> Iterable[FieldFault]:
    for name, value in wanted.items():
        if name not in {"field", "limit", "contains", "multi"}:
            yield FieldFault(f"{place}.{name}", "is not known; there are field, limit, contains and multi")
        elif name == "limit" and (type(value) is not int or not 1 <= value <= MAX_FACET_VALUES):
            yield FieldFault(f"{place}.limit", f"must be a whole number from 1 to {MAX_FACET_VALUES}")
        elif name == "contains" and not isinstance(value, str):
            yield FieldFault(f"{place}.contains", "must be a text")
        elif name == "multi" and not isinstance(value, bool):
            yield FieldFault(f"{place}.multi", "must be true or false")


def _check(what: str, named: Iterable[tuple[str, Any]], fault: Callable[[str], str]) -> None:
    """Refuse names, each with its place in the request, that are no text or have a fault."""
    faults = []
    for place, name in named:
        is_text = isinstance(name, str)
        if reason := fault(name) if is_text else f"must be the name of a field, is {quote_value(name)}":
            faults.append(FieldFault(place, reason))
    if faults:
        raise _refusal(what, faults)


def _unknown(name: str, types: Mapping[str, FieldType]) -> str:
    return "" if name in types else f"{quote_value(name)} {unknown_field(name, types)}"


def _refusal(what: str, faults: list[FieldFault]) -> InvalidRequest:
    return InvalidRequest(summarise(f"{what} not valid", faults), tuple(faults))
