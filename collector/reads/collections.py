"""Which collections showed a list, and which have versions that learned from people who were erased since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from collector.tables import erasures, impressions
from foundation.database.lookup import chunks

_MAX_TERMS = 200
"""Collections asked about in one statement; SQLite's limit is 500."""


def collections_shown_before(connection: sa.Connection, collections: Sequence[str], at: datetime) -> set[str]:
    """Return the collections of which some list was shown until a moment."""
    found: set[str] = set()
    for some in chunks(collections, _MAX_TERMS):
        asked = [sa.select(sa.literal(one)).where(_was_shown(one, at)) for one in some]
        found.update(connection.execute(sa.union_all(*asked)).scalars())
    return found


def erased_versions(connection: sa.Connection, collection: str) -> frozenset[str]:
    """Return the versions of a collection that may have learned from an erased person."""
    statement = sa.select(erasures.c.versions).where(erasures.c.collection == collection)
    return frozenset(version for found in connection.execute(statement).scalars() for version in found)


def collections_erased_since(connection: sa.Connection, asked: sa.Subquery) -> set[str]:
    """Return the collections where versions learned from a person who was erased at or after a moment.

    Args:
        asked: Columns `collection` and `at`: the moment of each collection; any erasure counts where there is none.
    """
    since = sa.or_(asked.c.at.is_(None), asked.c.at <= erasures.c.at)
    statement = (
        sa.select(erasures.c.collection, erasures.c.versions)
        .outerjoin(asked, asked.c.collection == erasures.c.collection)
        .where(since)
    )
    return {row.collection for row in connection.execute(statement) if row.versions}


def erased_since(connection: sa.Connection, collection: str, at: datetime) -> bool:
    """Return whether a person of a collection was erased at or after a moment, whatever learned from them."""
    found = sa.select(erasures.c.id).where(erasures.c.collection == collection, erasures.c.at >= at).limit(1)
    return connection.execute(found).scalar_one_or_none() is not None


def _was_shown(collection: str, at: datetime) -> sa.ColumnElement[bool]:
    return sa.exists().where(impressions.c.collection == collection, impressions.c.at <= at)
