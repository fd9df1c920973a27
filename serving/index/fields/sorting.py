"""In what order results come when not by relevance alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import summarise, unknown_field
from serving.index.fields.values import FieldType, quote_value

RELEVANCE = "relevance"
MAX_KEYS = 8


@dataclass(frozen=True, slots=True)
class SortKey:
    """Sort by a field; documents without a value come last either way.

    Attributes:
        descending: Of several values the largest counts, else the smallest.
    """

    field: str
    descending: bool = False


def parse_sort(value: Any, types: Mapping[str, FieldType], path: str = "sort") -> tuple[SortKey, ...]:
    """Return the keys that a request sorts by before relevance, the most important first.

    Args:
        value: A field's name, with "-" in front for descending order, or a list of them;
            "relevance" ends the list, for no two documents are equally relevant.
        types: The fields there are.
        path: Where it stands in the request.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """
    wanted = [value] if isinstance(value, str) else value
    if not isinstance(wanted, list) or len(wanted) > MAX_KEYS:
        raise _refusal([FieldFault(path, f'must be a field or a list of at most {MAX_KEYS}, as in ["-price"]')])
    places = [path] if isinstance(value, str) else [f"{path}[{place}]" for place in range(len(wanted))]
    faults = [
        FieldFault(place, reason) for place, one in zip(places, wanted, strict=True) if (reason := _fault(one, types))
    ]
    if faults:
        raise _refusal(faults)
    before = wanted[: wanted.index(RELEVANCE)] if RELEVANCE in wanted else wanted
    return tuple(SortKey(one.removeprefix("-"), one.startswith("-")) for one in before)


def _fault(wanted: Any, types: Mapping[str, FieldType]) -> str:
    """Return what is wrong with one key, "" for nothing."""
    if not isinstance(wanted, str):
        return f"must be the name of a field, is {quote_value(wanted)}"
    if wanted == f"-{RELEVANCE}":
        return "cannot be turned round: relevance puts the best first"
    name = wanted.removeprefix("-")
    return "" if wanted == RELEVANCE or name in types else f"{quote_value(name)} {unknown_field(name, types)}"


def _refusal(faults: list[FieldFault]) -> InvalidRequest:
    return InvalidRequest(summarise("the sort is not valid", faults), tuple(faults))
