"""Algolia's filters as a filter of the collection.

Three ways to say the same, which all must hold: `filters` is an expression, `facetFilters` and `numericFilters` are
lists whose entries all hold and in which of an inner list one does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from serving.index.fields.values import FieldType

MAX_TOKENS = 500
_MAX_DEPTH = 6
_NEVER: dict[str, Any] = {"any": []}
_BOUNDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TOKEN = re.compile(r"""\(|\)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|<=|>=|!=|<|>|=|:|[^\s()"':<>=!]+""")
_NUMERIC = re.compile(r"\s*(?P<field>[^<>=!:]+?)\s*(?P<sign><=|>=|!=|<|>|=|:)\s*(?P<value>.+?)\s*")
_RANGE = re.compile(r"(?P<low>\S+)\s+TO\s+(?P<high>\S+)")

Filter = dict[str, Any]
Types = Mapping[str, FieldType]


def to_filter(expression: str, facets: Sequence[Any], numbers: Sequence[Any], types: Types) -> Filter | None:
    """Return what Algolia's filters say as a filter, None where they say nothing.

    A field that no document has, and a value of another type, hold for none.

    Raises:
        InvalidRequest: They cannot be read.
    """
    parts: list[Filter] = []
    if expression.strip():
        parts.append(_Expression(expression, types).read())
    parts += _read_list(facets, lambda text: _facet(text, types), "facetFilters")
    parts += _read_list(numbers, lambda text: _numeric(text, types), "numericFilters")
    return {"all": parts} if parts else None


def _read_list(given: Sequence[Any], read: Callable[[str], Filter], place: str) -> list[Filter]:
    if not all(isinstance(one, str | list) for one in given):
        raise _refusal(place, "must be a list of texts and of lists of texts")
    return [
        {"any": [read(str(inner)) for inner in one]} if isinstance(one, list) else read(one)
        for one in given
        if one != []
    ]


def _facet(text: str, types: Types) -> Filter:
    name, colon, value = text.partition(":")
    if not colon:
        raise _refusal("facetFilters", f"must be field:value, is {text[:100]!r}")
    if value.startswith("-"):
        return {"not": _equal(name, value[1:], types)}
    return _equal(name, value.removeprefix("\\"), types)


def _numeric(text: str, types: Types) -> Filter:
    found = _NUMERIC.fullmatch(text)
    if not found:
        raise _refusal("numericFilters", f"must be a comparison such as price>=10, is {text[:100]!r}")
    return _compare(found["field"], found["sign"], found["value"], types)


def _compare(name: str, sign: str, value: str, types: Types) -> Filter:
    span = _RANGE.fullmatch(value) if sign == ":" else None
    bounds = {"gte": span["low"], "lte": span["high"]} if span else {_BOUNDS[sign]: value} if sign in _BOUNDS else {}
    if not bounds:
        equal = _equal(name, value, types)
        return {"not": equal} if sign == "!=" else equal
    read = {bound: _number(one) for bound, one in bounds.items()}
    if types.get(name) != "number" or None in read.values():
        return _NEVER
    return {"field": {"name": name, "is": read}}


def _equal(name: str, value: str, types: Types) -> Filter:
    kind = types.get(name)
    if name == "objectID":
        return {"id": value}
    wanted: Any = value
    if kind == "number":
        wanted = _number(value)
    elif kind == "boolean":
        wanted = {"true": True, "false": False}.get(value.lower())
    return _NEVER if kind is None or wanted is None else {"field": {"name": name, "is": wanted}}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


class _Expression:
    """Reads `filters`: comparisons joined by AND, OR, NOT and parentheses."""

    def __init__(self, text: str, types: Types) -> None:
        self._tokens = _TOKEN.findall(text)
        self._types = types
        self._at = 0
        if len(self._tokens) > MAX_TOKENS:
            raise _refusal("filters", f"has more than {MAX_TOKENS} parts")

    def read(self) -> Filter:
        found = self._any(0)
        if self._at < len(self._tokens):
            raise _refusal("filters", f"cannot be read at {self._tokens[self._at][:100]!r}")
        return found

    def _any(self, depth: int) -> Filter:
        if depth > _MAX_DEPTH:
            raise _refusal("filters", f"is nested deeper than {_MAX_DEPTH} levels")
        parts = [self._all(depth)]
        while self._take("OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else {"any": parts}

    def _all(self, depth: int) -> Filter:
        parts = [self._one(depth)]
        while self._take("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else {"all": parts}

    def _one(self, depth: int) -> Filter:
        if self._take("NOT"):
            return {"not": self._one(depth + 1)} if depth <= _MAX_DEPTH else self._any(depth + 1)
        if self._take("("):
            found = self._any(depth + 1)
            if not self._take(")"):
                raise _refusal("filters", "lacks a closing parenthesis")
            return found
        name, sign = self._next(), self._next()
        if sign not in {*_BOUNDS, "=", "!=", ":"}:
            raise _refusal("filters", f"must compare {name[:100]!r} with a value")
        value = self._next()
        if sign == ":" and self._take("TO"):
            value = f"{value} TO {self._next()}"
        return _compare(name, sign, value, self._types)

    def _take(self, token: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += taken
        return taken

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise _refusal("filters", "ends too early")
        token = self._tokens[self._at]
        self._at += 1
        if len(token) > 1 and token[0] == token[-1] and token[0] in "\"'":
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        return str(token)


def _refusal(place: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{place} {reason}", (FieldFault(place, reason),))
