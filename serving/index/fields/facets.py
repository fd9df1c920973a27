"""Which fields a search counts the values of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.filters import summarise, unknown_field
from serving.index.fields.values import FieldType, quote_value

MAX_FACETS = 20


def parse_facets(value: Any, types: Mapping[str, FieldType], path: str = "facets") -> tuple[str, ...]:
    """Return the fields that a request wants counted, each once.

    Args:
        value: A list of names of fields.
        types: The fields there are.
        path: Where it stands in the request.

    Raises:
        InvalidRequest: It names an unknown field, or is no such list.
    """
    if not isinstance(value, list) or len(value) > MAX_FACETS:
        raise _refusal([FieldFault(path, f"must be a list of at most {MAX_FACETS} fields")])
    faults = [
        FieldFault(f"{path}[{place}]", reason) for place, one in enumerate(value) if (reason := _fault(one, types))
    ]
    if faults:
        raise _refusal(faults)
    return tuple(dict.fromkeys(value))


def _fault(wanted: Any, types: Mapping[str, FieldType]) -> str:
    """Return what is wrong with one name, "" for nothing."""
    if not isinstance(wanted, str):
        return f"must be the name of a field, is {quote_value(wanted)}"
    return "" if wanted in types else f"{quote_value(wanted)} {unknown_field(wanted, types)}"


def _refusal(faults: list[FieldFault]) -> InvalidRequest:
    return InvalidRequest(summarise("the facets are not valid", faults), tuple(faults))
