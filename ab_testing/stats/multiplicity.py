"""Several findings at once: how p-values are raised so that even one false finding among all stays rare."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def holm(p_values: Mapping[Key, float | None]) -> dict[Key, float]:
    """Return the p-values adjusted by Holm's method; one at most alpha is a finding.

    The probability of any false finding among all is at most alpha, however the tests depend on each other. It holds at
    every look when the p-values may be read at every look.

    Args:
        p_values: One for each hypothesis that was planned; None where nothing can be tested yet.
    """
    known = {key: 1.0 if p_value is None else p_value for key, p_value in p_values.items()}
    adjusted: dict[Key, float] = {}
    highest = 0.0
    for place, key in enumerate(sorted(known, key=known.__getitem__)):
        highest = max(highest, min(1.0, (len(known) - place) * known[key]))
        adjusted[key] = highest
    return {key: adjusted[key] for key in p_values}
