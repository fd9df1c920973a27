"""Bounds on how many stored lists of one person count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from collector.fold.votes import Vote

Lists = Iterable[sa.Row[Any]]


def within_cap(lists: Lists, lists_per_user: int) -> Iterator[sa.Row[Any]]:
    """Return of all lists of one user for one query and week the first ones only, as many as count."""
    return at_most(lists_per_user, lists, lambda row: Vote(row.query_key, row.unit, row.period))


def at_most(most: int, lists: Lists, same: Callable[[sa.Row[Any]], Hashable]) -> Iterator[sa.Row[Any]]:
    """Return of the lists for which `same` is equal the first ones only, in the order given."""
    met: Counter[Hashable] = Counter()
    for row in lists:
        met[key := same(row)] += 1
        if met[key] <= most:
            yield row
