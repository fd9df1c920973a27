"""What the compatible intakes share: foreign objects read field by field, their ids, moments and words."""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collector.intake.schemas.fields import Given, kind_of
from foundation.contracts import EventType
from foundation.errors import FieldFault
from foundation.ids import BY_CONTENT
from foundation.texts import NOT_TEXT, as_id

MAX_SHOWN = 1000
"""Most documents of one list."""
ANY_LENGTH = sys.maxsize
"""The limit of texts that only the body's size limits."""

ACTIONS: Mapping[str, EventType] = {
    **dict.fromkeys(("click", "item_click", "product_click", "result_click", "open", "select", "watch"), "click"),
    **dict.fromkeys(("conversion", "purchase", "buy", "order", "add_to_cart", "addtocart", "cart"), "conversion"),
    **dict.fromkeys(("like", "favorite", "favourite", "wishlist", "save", "download", "share"), "conversion"),
}
"""What the words that other systems have for actions are here; of any other word nothing is learned."""

_IDS = uuid.UUID("5b1f4f0e-6f0a-5c53-9c8a-0c1f6f0f7d11")  # a namespace of our own, fixed for ever
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile(r"[0-9]{1,17}(\.[0-9]{1,9})?")
_ZONE_NAME = re.compile(r"\[[A-Za-z0-9_+/-]{1,64}\]$")  # Java writes it behind the offset
_FIRST_MS = 100_000_000_000  # as seconds the year 5138, as milliseconds March 1973


def action_of(word: str) -> EventType | None:
    """Return what another system's word for an action is here, None for one that says nothing."""
    return ACTIONS.get(word.strip().lower().replace("-", "_").replace(" ", "_"))


def body_id(source: str, value: Any, part: int = 0) -> str:
    """Return the id of an event that came without one: a UUIDv5 of its content, the same in every retry.

    Whoever knows the rest of an event could try user ids on it, so what is kept is its hash under the
    installation's key; see `Privacy.conceal`.

    Args:
        source: The intake, so that two of them never share an id.
        part: Which of the several events in the value.
    """
    return f"{BY_CONTENT}{uuid.uuid5(_IDS, f'{source}/{part}/{json.dumps(value, sort_keys=True)}')}"


def instant_of(given: Any) -> datetime | None:
    """Return the moment in UTC that any documented form of a timestamp names, None when it names none.

    ISO 8601 with a zone (Java's name of the zone behind it too), or time since 1970 as a number or as
    digits in a string: milliseconds, or seconds where milliseconds would lie before March 1973.
    """
    try:
        if isinstance(given, str) and not _DIGITS.fullmatch(given):
            at = datetime.fromisoformat(_ZONE_NAME.sub("", given))
            return at.astimezone(UTC) if at.tzinfo else None
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            return None
        since = float(given)
        seconds = since if since < _FIRST_MS else since / 1000
        return datetime.fromtimestamp(seconds, UTC) if seconds >= 0 else None
    except (ValueError, OverflowError, OSError):
        return None


class Fields(Given):
    """One foreign object, and what is wrong with it so far. Null and "" stand for absent; no object is a fault."""

    def __init__(self, given: Any, place: str = "", faults: list[FieldFault] | None = None) -> None:
        held = given if isinstance(given, dict) else {}
        super().__init__({name: value for name, value in held.items() if value != ""}, place, faults)
        if held is not given:
            self._faults.append(FieldFault(place.rstrip(".") or "event", f"must be an object, is {kind_of(given)}"))

    def text(self, name: str, limit: int, *, required: bool = False, printable: bool = True) -> str:
        """Return a text of at most `limit` characters, "" when absent or at fault."""
        given = self._required(name, required)
        if given is not None and not isinstance(given, str):
            self.fault(name, f"must be a string, is {kind_of(given)}")
            return ""
        return self._fitting(name, given or "", limit, printable)

    def key(self, name: str, limit: int, *, required: bool = False) -> str:
        """Return an id, a string or a whole number, of at most `limit` characters, "" when absent or at fault."""
        given = as_id(self._required(name, required))
        if given is not None and not isinstance(given, str):
            self.fault(name, f"must be a string or a whole number, is {kind_of(given)}")
            return ""
        return self._fitting(name, given or "", limit, printable=True)

    def _fitting(self, name: str, given: str, limit: int, printable: bool) -> str:
        if len(given) > limit:
            self.fault(name, f"must have at most {limit} characters, has {len(given)}")
        elif (NOT_TEXT if printable else _NOT_STORABLE).search(given):
            self.fault(name, "must not hold control characters")
        else:
            return given
        return ""

    def whole(self, name: str) -> int | None:
        """Return a whole number of at most six digits, None when absent or at fault."""
        given = self.get(name)
        if given is None:
            return None
        if type(given) is float and given.is_integer():
            given = int(given)
        if type(given) is int and abs(given) < 1_000_000:
            return int(given)
        self.fault(name, f"must be a whole number of at most six digits, is {kind_of(given)}")
        return None

    def inner(self, name: str) -> Fields | None:
        """Return an object inside this one, None when absent."""
        given = self.get(name)
        return None if given is None else Fields(given, f"{self._place}{name}.", self._faults)

    def array(self, name: str, *, required: bool = False) -> list[Any]:
        """Return an array, empty when absent or at fault."""
        given = self._required(name, required)
        if given is None or isinstance(given, list):
            return given or []
        self.fault(name, f"must be an array, is {kind_of(given)}")
        return []

    def moment(self, name: str, now: datetime, *, required: bool = False) -> datetime:
        """Return a moment in UTC, `now` when absent or at fault."""
        given = self._required(name, required)
        if given is None:
            return now
        return self._moment(name, instant_of(given), "must be ISO 8601 with a zone or milliseconds since 1970", now)
