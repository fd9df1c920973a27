"""Join health: whether feedback finds what it is about. One check a file, listed here."""

from __future__ import annotations

import sqlalchemy as sa

from collector.checks.finding import Check, Finding
from collector.checks.lost_clicks import lost_clicks
from collector.checks.shifted_positions import shifted_positions
from collector.checks.stray_clicks import stray_clicks
from collector.checks.unheard_impressions import unheard_impressions
from foundation.db import reading

CHECKS: tuple[Check, ...] = (lost_clicks, stray_clicks, unheard_impressions, shifted_positions)

__all__ = ["CHECKS", "Check", "Finding", "run_checks"]


def run_checks(engine: sa.Engine, collection: str) -> list[Finding]:
    """Return every check's finding on a collection, all on one snapshot."""
    with reading(engine) as connection:
        return [check(connection, collection) for check in CHECKS]
