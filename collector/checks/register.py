"""Every check of the join's health, in the order of the report."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.events.conflicting_events import conflicting_events
from collector.checks.events.distrusted_events import distrusted_events
from collector.checks.events.dwell_in_milliseconds import dwell_in_milliseconds
from collector.checks.events.early_events import early_events
from collector.checks.events.late_events import late_events
from collector.checks.events.lost_clicks import lost_clicks
from collector.checks.events.repeated_events import repeated_events
from collector.checks.events.skewed_clocks import skewed_clocks
from collector.checks.events.stray_clicks import stray_clicks
from collector.checks.finding import Check, Finding
from collector.checks.searches.false_positions import false_positions
from collector.checks.searches.nameless_searches import nameless_searches
from collector.checks.searches.shifted_positions import shifted_positions
from collector.checks.searches.silent_impressions import unheard_impressions
from collector.checks.searches.unasked_views import unasked_views
from collector.checks.searches.unset_ids import unset_ids
from collector.checks.snapshot import read_snapshot
from foundation.database.engine import reading

CHECKS: tuple[Check, ...] = (
    lost_clicks,
    unasked_views,
    stray_clicks,
    unheard_impressions,
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
