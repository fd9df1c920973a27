"""Whom a stored list is counted for: the people behind the rows of `impressions`, as SQL."""

from __future__ import annotations

import sqlalchemy as sa

from collector.tables import HELD, impressions, quarantine

AGENT = "agent"
"""The surface of searches that no person made."""


def person() -> sa.ColumnElement[str]:
    """Return who asked, "" for nobody: a list without a user or session has its own query id as unit.

    Whoever counts people counts all such lists as one person's, for nothing proves that they were several.
    """
    return sa.case((impressions.c.unit == impressions.c.query_id, ""), else_=impressions.c.unit)


def is_held(rows: sa.FromClause = impressions) -> sa.ColumnElement[bool]:
    """Return whether a row's `unit` is a user in quarantine, whose lists do not count."""
    return sa.exists().where(
        quarantine.c.collection == rows.c.collection, quarantine.c.unit == rows.c.unit, quarantine.c.state == HELD
    )


def is_of_people() -> sa.ColumnElement[bool]:
    """Return whether a list is one that reports and the console count: neither an agent's nor of a user who is held."""
    return (impressions.c.surface != AGENT) & ~is_held()
