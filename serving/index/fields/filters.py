"""The filter language: which documents a search may find, as a JSON value and as a condition.

A filter is an object; all of its entries must hold. An entry is a field with what it must be (a
value, null for absent, a list of which one is enough, or bounds) or one of five words:

    {"app": ["writer", "calc"], "price": {"gte": 10, "lt": 20}}
    {"any": [{"released": {"gte": "2024-01-01"}}, {"not": {"exists": "released"}}]}
    {"field": {"name": "all", "is": "a field whose name is one of the words"}}
    {"id": ["a", "b"], "place": {"near": {"lat": 48.2, "lon": 16.4, "km": 20}}}

A field with several values fits when one of them does. An absent field fits no value and no bounds.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.errors import FieldFault, InvalidRequest
from foundation.texts import as_id
from serving.index.fields.values import EXPECTED, FieldType, Value, quote_value, read_value

MAX_DEPTH = 8
"""Levels of all, any and not inside each other."""

MAX_CONDITIONS = 100
MAX_VALUES = 1000
"""Values in one list."""

_BOUNDS = ("gt", "gte", "lt", "lte")
_MAX_NAMES = 3
_MAX_FAULTS = 10  # the search for names that come close takes its time


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every part does; without parts, always."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when a part does; without parts, never."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Equals:
    """Holds when the field has one of the values; None stands for no value at all."""

    field: str
    values: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Holds when one value of a number or date field is inside every bound that is not None."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """Holds when the field has a value."""

    field: str


@dataclass(frozen=True, slots=True)
class HasId:
    """Holds for the documents with these ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Holds when a document's one place is near: numbers `lat` and `lon` inside an object.

    Attributes:
        field: The object's name.
        lat: Degrees north.
        lon: Degrees east.
        km: Largest distance on a sphere of the Earth's size.
    """

    field: str
    lat: float
    lon: float
    km: float


Condition = AllOf | AnyOf | Not | Equals | Range | Exists | HasId | Near


def parse_filter(value: Any, types: Mapping[str, FieldType]) -> Condition:
    """Return the condition that a filter states.

    Raises:
        InvalidRequest: Something in it is wrong; each fault, up to ten, names its place, as
            "filters.any[1].price.gte", and an unknown field those that it may have meant.
    """
    reader = _Reader(types)
    condition = reader.read(value, "filters", 0)
    if reader.faults:
        raise reader.refusal()
    return condition


def read_place(wanted: Any, name: str, types: Mapping[str, FieldType], *, needs_km: bool) -> Near | str:
    """Return a place that a request names, or why it is none.

    Args:
        name: Of the field, an object with the numbers `lat` and `lon`.
        needs_km: Whether a distance belongs to it; without one, any distance is near.
    """
    if {types.get(f"{name}.{part}") for part in ("lat", "lon")} != {"number"}:
        return f"needs the numbers {name}.lat and {name}.lon, which no document has"
    names = {"lat", "lon", "km"} if needs_km else {"lat", "lon"}
    if not isinstance(wanted, dict) or wanted.keys() != names:
        return f"must be an object of {', '.join(sorted(names))}"
    read = {part: read_value(value, "number") for part, value in wanted.items()}
    lat, lon, km = read["lat"], read["lon"], read.get("km", math.inf)
    if not isinstance(lat, float) or not -90 <= lat <= 90:
        return "must have a lat from -90 to 90"
    if not isinstance(lon, float) or not -180 <= lon <= 180:
        return "must have a lon from -180 to 180"
    if not isinstance(km, float) or km < 0:
        return "must have km of at least 0"
    return Near(name, lat, lon, km)


def fields_of(condition: Condition) -> frozenset[str]:
    """Return the fields that a condition looks at; that of `id` is "id"."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return frozenset[str]().union(*map(fields_of, parts))
        case Not(part):
            return fields_of(part)
        case HasId():
            return frozenset({"id"})
    return frozenset({condition.field})


def without_field(condition: Condition, name: str) -> Condition:
    """Return a condition without those of its parts that look at one field alone, as for counting its values."""
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    return AllOf(tuple(part for part in parts if fields_of(part) != {name}))


def unknown_field(name: str, types: Mapping[str, FieldType]) -> str:
    """Return why `name` is refused as a field, with the known names that come closest."""
    inside = [known for known in types if known.startswith(f"{name}.")]
    meant = list(dict.fromkeys([*inside, *difflib.get_close_matches(name, types, _MAX_NAMES)]))[:_MAX_NAMES]
    if meant:
        return f"is not a field of this collection; did you mean {' or '.join(map(quote_value, meant))}?"
    if types:
        return "is not a field of this collection; GET /v1/fields lists what there is"
    return "is not a field of this collection, whose documents have no fields yet"


def summarise(what: str, faults: list[FieldFault]) -> str:
    """Return one line about the first three faults."""
    return f"{what}: " + "; ".join(f"{fault.field} {fault.reason}" for fault in faults[:3])


@dataclass(slots=True)
class _Reader:
    """Reads a whole filter and collects its faults; a faulty part reads as no condition."""

    types: Mapping[str, FieldType]
    faults: list[FieldFault] = field(default_factory=list)
    conditions: int = 0

    def read(self, value: Any, path: str, depth: int) -> Condition:
        if not isinstance(value, dict):
            return self._refuse(path, f"must be an object of fields and conditions, is {quote_value(value)}")
        if depth > MAX_DEPTH:
            return self._refuse(path, f"is nested deeper than {MAX_DEPTH} levels")
        self.conditions += max(1, len(value))
        if self.conditions > MAX_CONDITIONS:
            self.faults.append(
                FieldFault(path, f"is more than {MAX_CONDITIONS} conditions, with what stands before it")
            )
            raise self.refusal()
        parts = tuple(self._read_entry(key, wanted, f"{path}.{key}", depth) for key, wanted in value.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def refusal(self) -> InvalidRequest:
        return InvalidRequest(summarise("the filter is not valid", self.faults), tuple(self.faults))

    def _read_entry(self, key: str, wanted: Any, path: str, depth: int) -> Condition:
        match key:
            case "all":
                return AllOf(self._read_parts(wanted, path, depth))
            case "any":
                return AnyOf(self._read_parts(wanted, path, depth))
            case "not" if isinstance(wanted, dict):
                return Not(self.read(wanted, path, depth + 1))
            case "not":
                return self._refuse(path, f"must be a filter, is {quote_value(wanted)}; {_escape(path)}")
            case "exists":
                return self._read_exists(wanted, path)
            case "field":
                return self._read_escape(wanted, path)
            case "id":
                return self._read_ids(wanted, path)
        return self._read_field(key, wanted, path)

    def _read_parts(self, wanted: Any, path: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(wanted, list):
            self._refuse(path, f"must be a list of filters, is {quote_value(wanted)}; {_escape(path)}")
            return ()
        return tuple(self.read(part, f"{path}[{place}]", depth + 1) for place, part in enumerate(wanted))

    def _read_exists(self, wanted: Any, path: str) -> Condition:
        if not isinstance(wanted, str):
            return self._refuse(path, f"must be the name of a field, is {quote_value(wanted)}; {_escape(path)}")
        if wanted not in self.types:
            return self._refuse(path, f"{quote_value(wanted)} {unknown_field(wanted, self.types)}")
        return Exists(wanted)

    def _read_escape(self, wanted: Any, path: str) -> Condition:
        if not isinstance(wanted, dict) or set(wanted) != {"name", "is"} or not isinstance(wanted["name"], str):
            return self._refuse(path, 'must be an object of "name", a field, and "is", what it must be')
        if wanted["name"] not in self.types:
            reason = f"{quote_value(wanted['name'])} {unknown_field(wanted['name'], self.types)}"
            return self._refuse(f"{path}.name", reason)
        return self._read_field(wanted["name"], wanted["is"], f"{path}.is")

    def _read_ids(self, wanted: Any, path: str) -> Condition:
        ids = [as_id(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        if len(ids) > MAX_VALUES:
            return self._refuse(path, f"lists {len(ids)} values; at most {MAX_VALUES} are taken")
        if not all(isinstance(one, str) for one in ids):
            return self._refuse(path, f"must be the id of a document or a list of them; {_escape(path)}")
        return HasId(tuple(ids))

    def _read_near(self, name: str, wanted: Any, path: str) -> Condition:
        place = read_place(wanted, name, self.types, needs_km=True)
        return self._refuse(path, place) if isinstance(place, str) else place

    def _read_field(self, name: str, wanted: Any, path: str) -> Condition:
        if isinstance(wanted, dict) and wanted.keys() == {"near"}:
            return self._read_near(name, wanted["near"], f"{path}.near")
        field_type = self.types.get(name)
        if field_type is None:
            return self._refuse(path, unknown_field(name, self.types))
        if isinstance(wanted, dict):
            return self._read_range(name, field_type, wanted, path)
        if not isinstance(wanted, list):
            return Equals(name, (self._read_value(wanted, field_type, path),))
        if len(wanted) > MAX_VALUES:
            return self._refuse(path, f"lists {len(wanted)} values; at most {MAX_VALUES} are taken")
        values = (self._read_value(one, field_type, f"{path}[{place}]") for place, one in enumerate(wanted))
        return Equals(name, tuple(values))

    def _read_value(self, wanted: Any, field_type: FieldType, path: str) -> Value | None:
        value = None if wanted is None else read_value(wanted, field_type)
        if value is None and wanted is not None:
            self._refuse(path, f"must be {EXPECTED[field_type]}, is {quote_value(wanted)}")
        return value

    def _read_range(self, name: str, field_type: FieldType, wanted: dict[str, Any], path: str) -> Condition:
        if field_type not in {"number", "date"}:
            inside = " or ".join(known for known in self.types if known.startswith(f"{name}."))
            hint = f"; write {inside} for a field inside it" if inside else ""
            return self._refuse(path, f"has bounds, but {name} is a {field_type}; only numbers and dates do{hint}")
        bounds: dict[str, Any] = {}
        for key, bound in wanted.items():
            value = read_value(bound, field_type)
            if key not in _BOUNDS:
                self._refuse(f"{path}.{key}", f"is not a bound; there are {', '.join(_BOUNDS)}")
            elif value is None:
                self._refuse(f"{path}.{key}", f"must be {EXPECTED[field_type]}, is {quote_value(bound)}")
            else:
                bounds[key] = value
        if not wanted:
            return self._refuse(path, f"must have at least one of {', '.join(_BOUNDS)}")
        return Range(name, **bounds)

    def _refuse(self, path: str, reason: str) -> Condition:
        self.faults.append(FieldFault(path, reason))
        if len(self.faults) == _MAX_FAULTS:
            raise self.refusal()
        return AllOf(())


def _escape(path: str) -> str:
    word = path.rpartition(".")[2]
    return f'a field named "{word}" is reached by {{"field": {{"name": "{word}", "is": …}}}}'
