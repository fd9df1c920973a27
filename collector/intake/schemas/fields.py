"""What the intakes share: one JSON object, read field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from foundation.errors import FieldFault

MAX_AHEAD = timedelta(minutes=10)
"""How far a client's clock may run ahead of ours."""

_MAX_FAULTS = 20
_MAX_NAME = 128


def kind_of(value: Any) -> str:
    """Return the JSON type of a value, as people name it."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


class Given:
    """One JSON object, and what is wrong with it so far. Null stands for absent.

    Args:
        given: The object.
        place: Dotted path of the object, with a dot at its end, "" for the whole.
        faults: Where faults are collected, shared by the objects inside.
    """

    def __init__(self, given: Mapping[str, Any], place: str = "", faults: list[FieldFault] | None = None) -> None:
        self._place = place
        self._faults = [] if faults is None else faults
        self._given = {name: value for name, value in given.items() if value is not None}

    @property
    def faults(self) -> list[FieldFault]:
        """What is wrong, at most 20 faults."""
        return self._faults[:_MAX_FAULTS]

    def fault(self, name: str, reason: str) -> None:
        """Note that a field is wrong."""
        self._faults.append(FieldFault(f"{self._place}{name[:_MAX_NAME]}", reason))

    def get(self, name: str) -> Any:
        """Return a field unchecked, None when absent."""
        return self._given.get(name)

    def _required(self, name: str, required: bool) -> Any:
        given = self.get(name)
        if given is None and required:
            self.fault(name, "is required")
        return given

    def _moment(self, name: str, at: datetime | None, wrong: str, now: datetime) -> datetime:
        """Return a moment that was read, `now` in place of one that is wrong or lies ahead."""
        if at is None:
            self.fault(name, wrong)
        elif at > now + MAX_AHEAD:
            self.fault(name, f"lies more than 10 minutes ahead of the server's clock ({now.isoformat()})")
        else:
            return at
        return now
