"""Apps that count the documents of a list from another number than they declare."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from collector.checks.finding import Finding
from collector.positions import Sighting, find_shifted
from foundation.tables import events, impressions

LATEST = 5000


def shifted_positions(connection: sa.Connection, collection: str) -> Finding:
    """Count, among the latest 5,000 events, the positions that are counted from the wrong number."""
    same = (impressions.c.collection == events.c.collection) & (impressions.c.query_id == events.c.query_id)
    latest = (
        sa.select(events.c.id, events.c.body, impressions.c.results)
        .outerjoin(impressions, same)
        .where(events.c.collection == collection)
        .order_by(events.c.received_at.desc(), events.c.id)
        .limit(LATEST)
    )
    sightings = [_sighting(row) for row in connection.execute(latest) if row.body.get("position") is not None]
    shifted = find_shifted(sightings)
    sources = ", ".join(sorted({one.source for one in shifted}))
    return Finding(
        name="positions-shifted",
        meaning=f"Positions counted from another number than the intake expects, among the latest {LATEST} events; "
        "ranks come from the list that was shown, so nothing is learned wrong, but the app's own reports are.",
        count=len(shifted),
        of=len(sightings),
        example_id=shifted[0].event_id if shifted else "",
        advice=f"Check from which number {sources} counts: Algolia's from 1, Meilisearch's from 0, UBI's from "
        "CLICKLOOP_UBI_BASE; a release may have changed it."
        if shifted
        else "",
    )


def _sighting(row: sa.Row[Any, Any, Any]) -> Sighting:
    body = row.body
    ranks = {result["id"]: result["rank"] for result in row.results or ()}
    return Sighting(body["source"], row.id, body["position"], ranks.get(body["document_id"]))
