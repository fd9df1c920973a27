"""Who takes part in an experiment and in which arm: pure functions of salts and the unit's id.

Two salts keep two questions apart. The traffic salt decides whether a unit takes part, the split
salt decides its arm; so raising the coverage brings units in and never moves one between arms.
"""

from __future__ import annotations

import hashlib
from typing import Literal

Arm = Literal["control", "treatment"]
ARMS: tuple[Arm, Arm] = ("control", "treatment")


def position(salt: str, unit: str) -> float:
    """Return where a unit stands in [0, 1): the first 8 bytes of BLAKE2b(`salt|unit`) over 2**64.

    The last 11 bits are dropped, so that the result is exact in a float and never rounds up to 1.
    """
    return (hash64(salt, unit) >> 11) / 2**53


def bucket(salt: str, unit: str, buckets: int) -> int:
    """Return the unit's bucket out of `buckets` equally likely ones, counted from 0."""
    return hash64(salt, unit) * buckets >> 64


def covered(salt: str, unit: str, coverage: float) -> bool:
    """Return whether a unit takes part when a share `coverage` of all units does."""
    return position(salt, unit) < coverage


def arm(salt: str, unit: str) -> Arm:
    """Return the unit's arm; both are equally likely."""
    return ARMS[bucket(salt, unit, len(ARMS))]


def hash64(salt: str, unit: str) -> int:
    """Return the first 8 bytes of BLAKE2b(`salt|unit`) as an integer, most significant first."""
    return int.from_bytes(hashlib.blake2b(f"{salt}|{unit}".encode("utf-8", "surrogatepass")).digest()[:8], "big")
