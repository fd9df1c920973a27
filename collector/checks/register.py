"""Every check of the join's health, in the order of the report."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.finding import Check, Finding
from collector.checks.matches import lost_clicks, silent_impressions, stray_clicks, unasked_views
from collector.checks.positions import false_positions, shifted_positions
from collector.checks.senders import (
    conflicting_events,
    distrusted_events,
    nameless_searches,
    repeated_events,
    unset_ids,
)
from collector.checks.store import read_snapshot
from collector.checks.times import dwell_in_milliseconds, early_events, late_events, skewed_clocks
from foundation.database.engine import reading

CHECKS: tuple[Check, ...] = (
    lost_clicks,
    unasked_views,
    stray_clicks,
    silent_impressions,
    shifted_positions,
    false_positions,
    late_events,
    distrusted_events,
    repeated_events,
    skewed_clocks,
    early_events,
    dwell_in_milliseconds,
    conflicting_events,
    unset_ids,
    nameless_searches,
)


def run_checks(engine: sa.Engine, collection: str, lateness_days: float, refused_unset: int = 0) -> list[Finding]:
    """Return every check's finding on the latest feedback of a collection, all on one snapshot.

    Args:
        refused_unset: See `JoinSnapshot`.
    """
    with reading(engine) as connection:
        snapshot = read_snapshot(connection, collection, lateness_days, refused_unset)
    return [check(snapshot) for check in CHECKS]
