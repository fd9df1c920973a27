"""Searches nobody said anything about."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.finding import Finding
from foundation.tables import events, impressions

ALARMING_SHARE = 0.98


def unheard_impressions(connection: sa.Connection, collection: str) -> Finding:
    """Count the impressions without any feedback; that a hit was seen is none."""
    mine = impressions.c.collection == collection
    heard = sa.exists().where(
        events.c.collection == impressions.c.collection,
        events.c.query_id == impressions.c.query_id,
        events.c.type != "seen",
    )
    silent = sa.select(sa.func.count(), sa.func.min(impressions.c.query_id)).where(mine, ~heard)
    count, example = connection.execute(silent).one()
    total = connection.execute(sa.select(sa.func.count()).select_from(impressions).where(mine)).scalar_one()
    share = count / total if total else 0.0
    return Finding(
        name="impressions-without-feedback",
        meaning=f"Searches without any event, {share:.0%} of all: some are normal, nearly all are not.",
        count=count,
        of=total,
        example_id=example or "",
        advice="Check that the app reports clicks, from every page that searches." if share > ALARMING_SHARE else "",
    )
