"""What happened in collections since when: lists, clicks, and erasures of people that versions learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from collector.reads.people import is_of_people
from collector.tables import erasures, impressions
from foundation.database.lookup import chunks
from foundation.database.tables import UtcDateTime

_MAX_TERMS = 200
"""Collections asked about in one statement; SQLite's limit is 500."""


def first_shown(connection: sa.Connection, collections: Sequence[str]) -> dict[str, datetime]:
    """Return when each collection showed its first list; those that never did are left out."""
    found: dict[str, datetime] = {}
    for some in chunks(collections, _MAX_TERMS):
        asked = [
            sa.select(sa.literal(one), sa.func.min(impressions.c.at, type_=UtcDateTime())).where(
                impressions.c.collection == one
            )
            for one in some
        ]
        found.update((name, at) for name, at in connection.execute(sa.union_all(*asked)) if at is not None)
    return found


def count_clicks_since(connection: sa.Connection, since: Mapping[str, datetime]) -> dict[str, int]:
    """Return the results of each collection that people clicked in lists shown since a moment of its own.

    What agents and held users clicked does not count.
    """
    found: dict[str, int] = {}
    for some in chunks(sorted(since), _MAX_TERMS):
        asked = [
            sa.select(sa.literal(one), sa.func.coalesce(sa.func.sum(impressions.c.clicks), 0)).where(
                is_of_people(one, since[one])
            )
            for one in some
        ]
        found.update((name, int(count)) for name, count in connection.execute(sa.union_all(*asked)))
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
