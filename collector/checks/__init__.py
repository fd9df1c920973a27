"""Join health: whether feedback finds what it is about. One check a file, listed here."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.conflicting_events import conflicting_events
from collector.checks.distrusted_events import distrusted_events
from collector.checks.dwell_in_milliseconds import dwell_in_milliseconds
from collector.checks.early_events import early_events
from collector.checks.false_positions import false_positions
from collector.checks.finding import Check, Finding
from collector.checks.late_events import late_events
from collector.checks.look import read_look
from collector.checks.lost_clicks import lost_clicks
from collector.checks.nameless_searches import nameless_searches
from collector.checks.repeated_events import repeated_events
from collector.checks.shifted_positions import shifted_positions
from collector.checks.skewed_clocks import skewed_clocks
from collector.checks.stray_clicks import stray_clicks
from collector.checks.unasked_views import unasked_views
from collector.checks.unheard_impressions import unheard_impressions
from collector.checks.unset_ids import unset_ids
from foundation.db import reading

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

__all__ = ["CHECKS", "Check", "Finding", "run_checks"]


def run_checks(engine: sa.Engine, collection: str, lateness_days: float, refused_unset: int = 0) -> list[Finding]:
    """Return every check's finding on the latest feedback of a collection, all on one snapshot.

    Args:
        refused_unset: See `Look`.
    """
    with reading(engine) as connection:
        look = read_look(connection, collection, lateness_days, refused_unset)
    return [check(look) for check in CHECKS]
