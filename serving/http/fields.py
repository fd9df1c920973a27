"""The HTTP routes of fields: `/v1/fields`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field

from foundation.errors import FieldFault, InvalidRequest
from foundation.texts import NOT_TEXT
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of
from serving.catalog.declarations import Declarations, Declared
from serving.index.fields.filters import summarise
from serving.index.fields.table import MAX_NAME_CHARACTERS, FieldSummary
from serving.index.fields.values import FIELD_TYPES, FieldType, quote_value

MAX_WEIGHT = 10
Summarise = Callable[[str], Mapping[str, FieldSummary]]
Changes = Annotated[
    dict[str, Any],
    Body(
        description="Type by name of field: keyword, number, date or boolean; null withdraws a declaration. An object "
        "of type and searchable, from 0 to 10, lets the words of a keyword be searched.",
        examples=[{"price": "number", "released": "date", "brand": {"type": "keyword", "searchable": 1}}],
    ),
]


class FieldOut(BaseModel):
    """One field of a collection."""

    name: str = Field(description="As filters name it; dotted for a value inside an object.")
    type: FieldType = Field(description="What it is filtered as now: as declared, else as its first value.")
    declared: FieldType | None = Field(description="The declared type; null for none.")
    searchable: float = Field(
        description="What a word counts in it beside one of the text; 0 where it is not searched."
    )
    documents: int = Field(description="Searchable documents that have a value.")
    misfits: int = Field(description="How often a value of another type was met and left out.")


class FieldsOut(BaseModel):
    """The fields of a collection."""

    fields: list[FieldOut] = Field(description="By name.")


def make_router(declarations: Declarations, summaries: Summarise) -> APIRouter:
    """Return the routes under /v1/fields.

    Args:
        summaries: Returns what this replica serves of a collection's fields, by name; empty while it serves nothing.
    """
    router = APIRouter(prefix="/v1/fields", tags=["documents"])

    @router.get("", responses=problem_responses(422))
    def list_fields(collection: Collection) -> FieldsOut:
        """List the fields that documents can be filtered, counted and sorted by."""
        return _show(declarations.of(collection), summaries(collection))

    @router.put("", responses=problem_responses(400, 413, 422))
    def declare_fields(request: Request, collection: Collection, changes: Changes) -> FieldsOut:
        """Declare types of fields instead of leaving them to the first value; other declarations stay."""
        faults = [FieldFault(name, reason) for name, kind in changes.items() if (reason := _fault(name, kind))]
        if faults:
            raise InvalidRequest(summarise("nothing was declared", faults), tuple(faults))
        wanted = {name: _read(given) for name, given in changes.items()}
        return _show(declarations.change(collection, wanted, actor_of(request)), summaries(collection))

    return router


def _fault(name: str, kind: Any) -> str:
    """Return what is wrong with one declaration, "" for nothing."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        return f"must have a name of 1 to {MAX_NAME_CHARACTERS} characters, has {len(name)}"
    if NOT_TEXT.search(name):
        return "must have a name without control characters and halves of surrogate pairs"
    if isinstance(kind, dict) and kind.keys() == {"type", "searchable"}:
        return _fault_of_searched(kind["type"], kind["searchable"])
    if kind is not None and kind not in FIELD_TYPES:
        return f"must be one of {', '.join(FIELD_TYPES)}, or null, is {quote_value(kind)}"
    return ""


def _fault_of_searched(kind: Any, weight: Any) -> str:
    if kind != "keyword":
        return f"must be a keyword to be searchable, is {quote_value(kind)}"
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MAX_WEIGHT:
        return f"must have searchable from 0 to {MAX_WEIGHT}, is {quote_value(weight)}"
    return ""


def _read(given: Any) -> Declared | None:
    """Return a declaration that has no fault."""
    if isinstance(given, dict):
        return Declared(given["type"], float(given["searchable"]))
    return given and Declared(given)


def _show(declared: Mapping[str, Declared], served: Mapping[str, FieldSummary]) -> FieldsOut:
    known = {name: FieldSummary(one.type, 0, 0) for name, one in declared.items()} | dict(served)
    fields = [
        FieldOut(
            name=name,
            declared=declared[name].type if name in declared else None,
            searchable=declared[name].weight if name in declared else 0.0,
            **asdict(summary),
        )
        for name, summary in sorted(known.items())
    ]
    return FieldsOut(fields=fields)
