"""Clicks on documents that the search did not show."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.finding import Finding
from foundation.tables import events, impressions

LATEST = 5000


def stray_clicks(connection: sa.Connection, collection: str) -> Finding:
    """Count, among the latest 5,000 joined clicks, those on documents outside the list."""
    same = (impressions.c.collection == events.c.collection) & (impressions.c.query_id == events.c.query_id)
    joined = (
        sa.select(events.c.id, events.c.body, impressions.c.results)
        .join(impressions, same)
        .where(events.c.collection == collection, events.c.type == "click")
        .order_by(events.c.received_at.desc(), events.c.id)
        .limit(LATEST)
    )
    clicks = connection.execute(joined).all()
    stray = [row.id for row in clicks if row.body["document_id"] not in {result["id"] for result in row.results}]
    return Finding(
        name="clicks-not-shown",
        meaning=f"Clicks on documents that their search did not show, among the latest {LATEST}; they are not counted.",
        count=len(stray),
        of=len(clicks),
        example_id=stray[0] if stray else "",
        advice="Send the hit's id as document_id, and let each search's clicks carry its own query_id."
        if stray
        else "",
    )
