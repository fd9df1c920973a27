"""Reads what one person chose from the lists that were shown to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collector.fold.outcomes import Outcome, satisfaction
from collector.reads.people import AGENT
from collector.tables import impressions
from foundation.clock import period_of
from foundation.contracts import ChosenList

_BOUGHT = 3.0
"""What a conversion counts beside a click."""


def read_choices(
    connection: sa.Connection, collection: str, person: str, since: datetime, limit: int
) -> list[ChosenList]:
    """Return the latest lists from which a person chose, the last one first; one indexed query.

    A click counts 1, one that led to a conversion 3, and one that disappointed nothing. What rules put at its rank is
    left out, and so are agents' lists and those before the week of `since`.

    Args:
        person: The pseudonym of a user.
        limit: Most lists.
    """
    shown = impressions.c
    statement = (
        sa.select(*(shown[name] for name in ("query_id", "at", "results", "outcome")))
        .where(
            shown.collection == collection,
            shown.unit == person,
            shown.period >= period_of(since),
            shown.clicks > shown.forced_clicks,
            shown.surface != AGENT,
        )
        .order_by(shown.period.desc(), shown.at.desc())
        .limit(limit)
    )
    lists = (_list_of(row) for row in connection.execute(statement))
    return [one for one in lists if one.chosen]


def _list_of(row: sa.Row[Any]) -> ChosenList:
    outcome = Outcome.from_json(row.outcome)
    free = {result["rank"]: result["id"] for result in row.results if not result.get("forced")}
    clicked = dict.fromkeys(free[rank] for rank in outcome.clicked if rank in free)
    chosen = {name: _BOUGHT if name in outcome.conversions else 1.0 for name in clicked}
    pleasing = {name: worth for name, worth in chosen.items() if satisfaction(outcome, name) >= 0}
    return ChosenList(row.query_id, row.at, {name: rank for rank, name in sorted(free.items(), reverse=True)}, pleasing)
