"""What a check of the join's health reports, and what a check is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.checks.snapshot import JoinSnapshot


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check on one collection.

    Attributes:
        name: The check, in a few words joined by hyphens.
        meaning: What is counted, and what it says.
        count: How many were found; 0 is healthy, a few may be in flight.
        of: How many were examined.
        example_id: The id of one that was found, "" for none.
        advice: What to do about it, "" when nothing need be done.
    """

    name: str
    meaning: str
    count: int
    of: int
    example_id: str
    advice: str


class Check(Protocol):
    """One check of a collection's feedback, a pure function."""

    def __call__(self, snapshot: JoinSnapshot) -> Finding:
        """Return what was found."""


def tell(name: str, meaning: str, found: Sequence[str], *, of: int, advice: str, usual_share: float = 0.0) -> Finding:
    """Return the finding of a check that found the things with these ids.

    Args:
        of: How many were examined.
        advice: Given where more than the usual share was found.
        usual_share: The share that needs no advice.
    """
    advised = advice if len(found) > usual_share * of else ""
    return Finding(name, meaning, len(found), of, found[0] if found else "", advised)
