"""Where queries are asked: on a page, for a chatbot, or by an agent."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from collector.tables import impressions
from foundation.database.engine import reading


def read_surfaces(engine: sa.Engine, collection: str, since: datetime) -> dict[str, str]:
    """Return the surface on which each query was asked most since a moment, by query key.

    Counts every list shown since then once, in the database.
    """
    lists = sa.func.count()
    counted = (
        sa.select(impressions.c.query_key, impressions.c.surface)
        .where(impressions.c.collection == collection, impressions.c.at > since)
        .group_by(impressions.c.query_key, impressions.c.surface)
        .order_by(lists, impressions.c.surface)
    )
    with reading(engine) as connection:
        return {row.query_key: row.surface for row in connection.execute(counted)}  # of two the larger one comes last
