"""Who takes part in an experiment and in which arm: pure functions of salts and the unit's id.

Two salts keep two questions apart. The traffic salt decides whether a unit takes part, the split salt decides its
arm; so raising the coverage brings units in and never moves one between arms. All experiments of a collection share
one traffic salt, so that experiments with different ranges of it have different units.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from ab_testing.design.plan import ExperimentPlan, UnitKind

ARMS: tuple[Literal["control"], Literal["treatment"]] = ("control", "treatment")
"""The arms of a plan in its short form."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and where, as far as an experiment wants to know.

    Attributes:
        user: The person, "" where the search names none; the same holds for session and conversation.
        query: Id of this one search.
        attributes: What else the app says of the search, by name.
    """

    user: str = ""
    session: str = ""
    conversation: str = ""
    query: str = ""
    surface: str = "page"
    attributes: Mapping[str, str] = field(default_factory=dict)


def unit_of(kind: UnitKind, visitor: Visitor) -> str:
    """Return the randomization unit of a search, "" where the search does not name it."""
    if kind == "user":
        return visitor.user or visitor.session
    unit: str = getattr(visitor, kind)
    return unit


def is_targeted(plan: ExperimentPlan, visitor: Visitor) -> bool:
    """Return whether a plan is about searches like this one."""
    if plan.surfaces and visitor.surface not in plan.surfaces:
        return False
    return all(visitor.attributes.get(name) in accepted for name, accepted in plan.attributes.items())


def takes_part(position: float, slots_from: float, coverage: float) -> bool:
    """Return whether a unit takes part where the traffic from `slots_from` on does, a share `coverage` of all."""
    return slots_from <= position < slots_from + coverage


def bounds_of(shares: Sequence[float]) -> tuple[float, ...]:
    """Return where one arm ends and the next begins."""
    return tuple(accumulate(shares))[:-1]


def choose_arm(bounds: Sequence[float], position: float) -> int:
    """Return the number of the arm, from 0, in whose half-open range a unit stands."""
    return bisect_right(bounds, position)


def position(salt: str, unit: str) -> float:
    """Return where a unit stands in [0, 1): the first 8 bytes of BLAKE2b(`salt|unit`) over 2**64.

    The last 11 bits are dropped, so that the result is exact in a float and never rounds up to 1.
    """
    return (hash64(salt, unit) >> 11) / 2**53


def hash64(salt: str, unit: str) -> int:
    """Return the first 8 bytes of BLAKE2b(`salt|unit`) as an integer, most significant first."""
    return int.from_bytes(hashlib.blake2b(f"{salt}|{unit}".encode("utf-8", "surrogatepass")).digest()[:8], "big")
