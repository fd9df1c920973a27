"""Whom a stored list is counted for, and how many lists of one person count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collector.fold.votes import Vote
from collector.tables import HELD, impressions, quarantine

AGENT = "agent"
"""The surface of searches that no person made."""


def person() -> sa.ColumnElement[str]:
    """Return who asked, "" for nobody: a list without a user or session has its own query id as unit.

    Whoever counts people counts all such lists as one person's, for nothing proves that they were several.
    """
    return sa.case((impressions.c.unit == impressions.c.query_id, ""), else_=impressions.c.unit)


def is_held(rows: sa.FromClause = impressions) -> sa.ColumnElement[bool]:
    """Return whether a row's `unit` is a user in quarantine, whose lists do not count."""
    return sa.exists().where(
        quarantine.c.collection == rows.c.collection, quarantine.c.unit == rows.c.unit, quarantine.c.state == HELD
    )


def is_of_people(collection: str, since: datetime) -> sa.ColumnElement[bool]:
    """Return whether a list shown after a moment is one that reports and the console count.

    It is neither an agent's nor of a user who is held.
    """
    return sa.and_(
        impressions.c.collection == collection,
        impressions.c.at > since,
        impressions.c.surface != AGENT,
        ~is_held(),
    )


def within_cap(lists: Iterable[sa.Row[Any]], lists_per_user: int) -> Iterator[sa.Row[Any]]:
    """Return of all lists of one user for one query and week the first ones only, as many as count."""
    return first_of_each(lists_per_user, lists, lambda row: Vote(row.query_key, row.unit, row.period))


def first_of_each(
    count: int, lists: Iterable[sa.Row[Any]], same: Callable[[sa.Row[Any]], Hashable]
) -> Iterator[sa.Row[Any]]:
    """Return of the lists for which `same` is equal the first ones only, in the order given."""
    met: Counter[Hashable] = Counter()
    for row in lists:
        met[key := same(row)] += 1
        if met[key] <= count:
            yield row
