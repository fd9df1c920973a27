"""What a check of the join's health reports, and what a check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check on one collection.

    Attributes:
        name: The check, in a few words joined by hyphens.
        meaning: What is counted, and what it says.
        count: How many were found; 0 is healthy, a few may be in flight.
        of: How many were looked at.
        example_id: The id of one that was found, "" for none.
        advice: What to do about it, "" when nothing was found.
    """

    name: str
    meaning: str
    count: int
    of: int
    example_id: str
    advice: str


class Check(Protocol):
    """One look at a collection's feedback; a function of a file of its own."""

    def __call__(self, connection: sa.Connection, collection: str) -> Finding:
        """Return what was found; reads only."""
