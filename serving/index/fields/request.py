"""Which fields a search sorts by, and of which it counts the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import summarise, unknown_field
from serving.index.fields.values import FieldType, quote_value

RELEVANCE = "relevance"
MAX_KEYS = 8
MAX_FACETS = 20


@dataclass(frozen=True, slots=True)
class SortKey:
    """Sort by a field; documents without a value come last either way.

    Attributes:
        descending: Of several values the largest counts, else the smallest.
    """

    field: str
    descending: bool = False


def parse_sort(value: Any, types: Mapping[str, FieldType]) -> tuple[SortKey, ...]:
    """Return the keys that a request sorts by before relevance, the most important first.

    Args:
        value: A field's name, with "-" in front for descending order, or a list of them;
            "relevance" ends the list, for no two documents are equally relevant.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """

    def fault(name: str) -> str:
        if name == f"-{RELEVANCE}":
            return "cannot be turned round: relevance puts the best first"
        return "" if name == RELEVANCE else _unknown(name.removeprefix("-"), types)

    wanted = [value] if isinstance(value, str) else value
    if not isinstance(wanted, list) or len(wanted) > MAX_KEYS:
        reason = f'must be a field or a list of at most {MAX_KEYS}, as in ["-price"]'
        raise _refusal("the sort is", [FieldFault("sort", reason)])
    places = ["sort"] if isinstance(value, str) else [f"sort[{place}]" for place in range(len(wanted))]
    _check("the sort is", zip(places, wanted, strict=True), fault)
    before = wanted[: wanted.index(RELEVANCE)] if RELEVANCE in wanted else wanted
    return tuple(SortKey(one.removeprefix("-"), one.startswith("-")) for one in before)


def parse_facets(value: Any, types: Mapping[str, FieldType]) -> tuple[str, ...]:
    """Return the fields that a request wants counted, each once.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """
    if not isinstance(value, list) or len(value) > MAX_FACETS:
        raise _refusal("the facets are", [FieldFault("facets", f"must be a list of at most {MAX_FACETS} fields")])
    named = ((f"facets[{place}]", name) for place, name in enumerate(value))
    _check("the facets are", named, lambda name: _unknown(name, types))
    return tuple(dict.fromkeys(value))


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
