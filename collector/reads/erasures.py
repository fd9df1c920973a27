"""Which versions learned from people who were erased since."""

from __future__ import annotations

import sqlalchemy as sa

from collector.tables import erasures


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
