"""Queries that readers take for the same share their evidence: keys are in the normal form, and counted again.

Revision: 0015
Follows: 0014
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from foundation.contracts import query_key

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COUNTS = ("users", "satisfied", "dissatisfied", "rating_sum", "ratings", "conversions")
_BY_RANK = ("shown", "clicked")
_PLACE = ("collection", "query_key", "period", "document_id", "nameless")

impressions = sa.table("impressions", sa.column("query", sa.Text), sa.column("query_key", sa.Text))
evidence = sa.table(
    "evidence",
    *(sa.column(name) for name in (*_PLACE, *_COUNTS, "change")),
    *(sa.column(name, sa.JSON) for name in _BY_RANK),
)


def upgrade() -> None:
    _rename(query_key)


def downgrade() -> None:
    _rename(None)


def _rename(key_of: Callable[[str], str] | None) -> None:
    """Give every list its key in the new form, or in that of the release before when None.

    Evidence moves only upwards: what was added up under one key cannot be told apart again. The collector counts all
    of it again when it starts, but for weeks whose events are gone; see `collector.join.replay`.
    """
    connection = op.get_bind()
    op.execute(
        "INSERT INTO counters (name, value) SELECT 'recount:' || collection, 1 FROM evidence"
        " WHERE 'recount:' || collection NOT IN (SELECT name FROM counters) GROUP BY collection"
    )
    queries = sa.select(impressions.c.query, impressions.c.query_key).distinct()
    for query, key in connection.execute(queries).all():
        new = key_of(query) if key_of else re.sub(r"\s+", " ", query).strip().casefold()
        if new != key:
            mine = (impressions.c.query == query) & (impressions.c.query_key == key)
            connection.execute(sa.update(impressions).where(mine).values(query_key=new))
    for (key,) in connection.execute(sa.select(evidence.c.query_key).distinct()).all() if key_of else ():
        if key_of and key_of(key) != key:
            _move_evidence(connection, key, key_of(key))


def _move_evidence(connection: sa.Connection, key: str, new: str) -> None:
    """Add the evidence of one key to that of another."""
    for row in connection.execute(sa.select(evidence).where(evidence.c.query_key == key)).all():
        moved = row._asdict() | {"query_key": new}
        there = sa.and_(*(evidence.c[name] == moved[name] for name in _PLACE))
        found = connection.execute(sa.select(evidence).where(there)).one_or_none()
        if found is None:
            connection.execute(sa.insert(evidence), [moved])
        else:
            connection.execute(sa.update(evidence).where(there).values(_sum(moved, found._asdict())))
    connection.execute(sa.delete(evidence).where(evidence.c.query_key == key))


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    summed = {name: one[name] + other[name] for name in _COUNTS}
    by_rank = {name: [a + b for a, b in zip(one[name], other[name], strict=True)] for name in _BY_RANK}
    return summed | by_rank | {"change": max(one["change"], other["change"])}
