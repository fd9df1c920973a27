"""What a row of a log amounts to: a search or an event, as the service takes it (pure).

Searches go the way of other engines' searches, UBI's; events are clickloop's own. Both are checked by
the service's own rules before they are sent, so that a run that sends nothing tells the same faults.
Ids that a log does not have are made of the content: the same log makes the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from clickloop.cli.history.log_columns import LogColumns
from collector.intake.schemas import native, ubi
from collector.intake.schemas.foreign import action_of, body_id, instant_of
from foundation.contracts import EVENT_TYPES
from foundation.errors import FieldFault
from foundation.ids import canonical_json
from foundation.texts import as_id

SEARCHES = "/ubi_queries"
EVENTS = "/v1/events"

_VALUED = ("rating", "dwell", "conversion")
_SEPARATORS = "|;,"
_NO_LIST = "must be a list of ids"
_NO_TIME = "must be ISO 8601 or time since 1970; name the zone of times without one by --zone"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A search or an event as it is sent.

    Attributes:
        path: Where it goes, `SEARCHES` or `EVENTS`.
        place: Where it was read, for people.
        body: Its JSON, without line ends.
    """

    path: str
    place: str
    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row from which nothing is learned, and why."""

    reason: str


Entry = Outgoing | Ignored | tuple[FieldFault, ...]
"""What a row amounts to; the faults name its columns."""


@dataclass(frozen=True, slots=True)
class EntryReader:
    """How the cells of a log are read.

    Attributes:
        zone: Of moments that name none; None refuses them.
        between: What separates the ids of a text of results; "" is white space.
        collection: Where the content goes.
        now: Moments far behind it are refused.
    """

    columns: LogColumns
    collection: str
    now: datetime
    zone: tzinfo | None = None
    between: str = ""

    def moment(self, given: Any) -> datetime | None:
        """Return the moment in UTC that a cell names, None when it names none."""
        at = instant_of(given)
        if at is None and self.zone is not None and isinstance(given, str):
            try:
                local = datetime.fromisoformat(given)
                return local.replace(tzinfo=self.zone).astimezone(UTC) if local.tzinfo is None else None
            except (ValueError, OverflowError):
                return None
        return at

    def search(self, place: str, cells: Mapping[str, Any]) -> Entry:
        """Return the search that a row with results says."""
        at = self.moment(cells.get("at"))
        results = self._results(cells["results"])
        if at is None or isinstance(results, str):
            return self._faults(at, results)
        query = {"user_query": as_id(cells.get("query", "")), "timestamp": at.isoformat()}
        query |= {"client_id": as_id(cells["user"])} if "user" in cells else {}
        body = query | {"object_id_field": "id", "query_response_hit_ids": results}
        body["query_id"] = as_id(cells["query_id"]) if "query_id" in cells else body_id("log-search", body)
        return self._checked(Outgoing(SEARCHES, place, str(body["query_id"]), ""), body)

    def event(self, place: str, cells: Mapping[str, Any]) -> Entry:
        """Return the event that a row with a type says."""
        word = str(cells["type"])
        kind = word if word in EVENT_TYPES else action_of(word)
        if kind is None:
            return Ignored(f"nothing is learned from {word!r}")
        if "query_id" not in cells:
            return Ignored("it belongs to no search")
        at = self.moment(cells.get("at"))
        if at is None:
            return self._faults(at, [])
        body: dict[str, Any] = {"type": kind, "at": at.isoformat()}
        body |= {name: as_id(cells[name]) for name in ("query_id", "document_id", "user") if name in cells}
        if kind in _VALUED and "value" in cells:
            body["value"] = _number(cells["value"])
        body["id"] = as_id(cells["id"]) if "id" in cells else body_id("log-event", body)
        return self._checked(Outgoing(EVENTS, place, str(body["id"]), ""), body)

    def _results(self, given: Any) -> list[Any] | str:
        """Return the ids of a list, a JSON array or separated text, and what is wrong of anything else."""
        if isinstance(given, str) and given.lstrip().startswith("["):
            try:
                given = json.loads(given)
            except ValueError:
                return _NO_LIST
        if isinstance(given, str):
            return self._separated(given)
        return [as_id(one) for one in given] if isinstance(given, list) else _NO_LIST

    def _separated(self, text: str) -> list[Any] | str:
        """Return the ids of a text; one without white space that holds another separator may be many or one."""
        ids = [part.strip() for part in text.split(self.between or None) if part.strip()]
        found = next((mark for mark in _SEPARATORS if mark in text), "")
        if found and not self.between and len(ids) == 1:
            return (
                f"holds {found!r} and no white space: name what separates the ids, as --between {found!r}; "
                "--between ' ' takes it as one id"
            )
        return ids

    def _faults(self, at: datetime | None, results: list[Any] | str) -> tuple[FieldFault, ...]:
        faults = []
        if at is None:
            faults.append(FieldFault(self.columns["at"], _NO_TIME))
        if isinstance(results, str):
            faults.append(FieldFault(self.columns["results"], results))
        return tuple(faults)

    def _checked(self, blank: Outgoing, body: Mapping[str, Any]) -> Entry:
        if blank.path == SEARCHES:
            parsed = ubi.parse_query(body, self.collection, self.now)
        else:
            parsed = native.parse(body, self.collection, self.now)
        if isinstance(parsed, list):
            return tuple(self.columns.place(fault) for fault in parsed)
        if parsed.ignored:
            return Ignored(parsed.ignored)
        try:
            line = canonical_json(body)
            line.encode()
        except ValueError as problem:  # half a surrogate pair too: what is not UTF-8 in the file
            return (FieldFault("row", f"is not JSON in UTF-8: {problem}"),)
        return Outgoing(blank.path, blank.place, blank.id, line)


def _number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
