"""Tables of units: how many have each pair of numerator and denominator."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = Mapping[tuple[int, int], int]
"""(numerator, denominator) -> number of units."""

Integers = NDArray[Any]
"""Whole numbers: of 64 bits, or Python's own where sums of products might not fit."""

_MAX_INT64 = 2**63 - 1


def columns(table: Table) -> tuple[Integers, Integers, Integers]:
    """Return numerators, denominators and counts, of a type in which sums of products are exact."""
    try:
        pairs = np.fromiter(chain.from_iterable(table), np.int64, 2 * len(table))
        count = np.fromiter(table.values(), np.int64, len(table))
        largest = max(int(pairs.max(initial=0)), -int(pairs.min(initial=0)))
        units = int(count.max(initial=0)) * len(table)  # no less than their sum, which itself might not fit
        exact = max(largest, 1) ** 2 * units <= _MAX_INT64
    except OverflowError:
        exact = False
    if not exact:
        pairs, count = (np.array([*numbers], dtype=object) for numbers in (chain.from_iterable(table), table.values()))
    return pairs[0::2], pairs[1::2], count


def sum_by(key: Integers, *values: Integers) -> tuple[Integers, ...]:
    """Return the different keys in order, and the sums of each column of values over the rows of a key."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    if not len(ordered):
        return (ordered, *values)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return (ordered[starts], *(np.add.reduceat(value[order], starts) for value in values))
