"""Which collections showed any list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from collector.tables import impressions

_TERMS = 200
"""Most collections asked about in one statement; SQLite's limit is 500."""


def collections_shown_before(connection: sa.Connection, collections: Sequence[str], at: datetime) -> set[str]:
    """Return the collections of which some list was shown until a moment."""
    found: set[str] = set()
    for first in range(0, len(collections), _TERMS):
        some = collections[first : first + _TERMS]
        asked = [sa.select(sa.literal(one)).where(_was_shown(one, at)) for one in some]
        found.update(connection.execute(sa.union_all(*asked)).scalars())
    return found


def _was_shown(collection: str, at: datetime) -> sa.ColumnElement[bool]:
    return sa.exists().where(impressions.c.collection == collection, impressions.c.at <= at)
