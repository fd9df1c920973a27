"""Clicks whose search was never logged."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.finding import Finding
from foundation.tables import events, impressions


def lost_clicks(connection: sa.Connection, collection: str) -> Finding:
    """Count the clicks that wait for an impression."""
    clicks = (events.c.collection == collection) & (events.c.type == "click")
    answered = sa.exists().where(
        impressions.c.collection == events.c.collection, impressions.c.query_id == events.c.query_id
    )
    waiting = sa.select(sa.func.count(), sa.func.min(events.c.id)).where(clicks, ~answered)
    count, example = connection.execute(waiting).one()
    total = connection.execute(sa.select(sa.func.count()).select_from(events).where(clicks)).scalar_one()
    return Finding(
        name="clicks-without-impression",
        meaning="Clicks whose query_id belongs to no logged search: they teach nothing until it arrives.",
        count=count,
        of=total,
        example_id=example or "",
        advice="Send the query_id of the search's answer unchanged, to the same collection." if count else "",
    )
