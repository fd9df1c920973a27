"""Searches say by which start of an experiment they were assigned; what they add up to is kept by unit and day.

Revision: 0014
Follows: 0013
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from foundation.database.tables import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SIGNALS = (
    *("searches", "clicked", "preferred", "offered", "wins", "losses", "ties", "clicks", "clicked_first", "abandoned"),
    *("reformulated", "zero_results", "successful", "rated", "ratings", "rating_sum", "low_ratings", "resolved"),
    *("unresolved", "converted", "conversions", "revenue", "success_ms", "timed_successes"),
)
_KEYS: dict[str, Any] = {
    "collection": sa.String(64),
    "experiment": sa.String(64),
    "run": sa.Integer(),
    "unit": sa.String(256),
    "day": sa.Integer(),
    "arm": sa.String(32),
    "surface": sa.String(32),
    "bucket": sa.Integer(),
    "known": sa.Boolean(),
    "had_evidence": sa.Boolean(),
}
_IN_EXPERIMENT = sa.text("experiment <> ''")
_INDEX = "impressions_by_experiment"


def upgrade() -> None:
    for column in _columns_of_impressions():
        op.add_column("impressions", column)
    op.add_column("events", sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"))
    _create_tables()
    op.execute("UPDATE impressions SET drawn_by = unit WHERE experiment <> '' AND drawn_by = ''")
    _number_running_searches()
    op.execute(
        "INSERT INTO quarantine_moves (collection, change, unit, state) "
        "SELECT collection, 0, unit, state FROM quarantine WHERE state = 'held'"
    )
    op.execute(  # the collector does, when it starts: see `collector.join.replay`
        "INSERT INTO counters (name, value) SELECT 'recount:' || collection, 1 FROM impressions "
        "WHERE experiment <> '' GROUP BY collection ON CONFLICT DO NOTHING"
    )
    op.drop_index(_INDEX, "impressions")
    chain = ["collection", "experiment", "run", "drawn_by", "at"]
    op.create_index(_INDEX, "impressions", chain, sqlite_where=_IN_EXPERIMENT, postgresql_where=_IN_EXPERIMENT)


def downgrade() -> None:
    op.drop_index(_INDEX, "impressions")
    op.create_index(_INDEX, "impressions", ["collection", "experiment", "at"])
    for table in ("quarantine_moves", "outcome_latencies", "outcomes"):
        op.drop_table(table)
    op.drop_column("events", "change")
    for column in _columns_of_impressions():
        op.drop_column("impressions", column.name)
    _forget_what_outcomes_gained()


def _columns_of_impressions() -> list[sa.Column[object]]:
    return [
        sa.Column("run", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("plan_hash", sa.String(64), nullable=False, server_default=sa.text("''")),
        sa.Column("first_difference", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("had_evidence", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("took_ms", sa.Float(), nullable=False, server_default="0"),
        sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"),
    ]


def _create_tables() -> None:
    strata = ("day", "arm", "surface", "known", "had_evidence")
    _create("outcomes", strata, _SIGNALS)
    _create("outcome_latencies", ("arm", "bucket"), ("count",))
    op.create_table(
        "quarantine_moves",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(256), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("collection", "change", "unit", name="pk_quarantine_moves"),
    )


def _create(name: str, key: tuple[str, ...], sums: tuple[str, ...]) -> None:
    keys = ("collection", "experiment", "run", "unit", *key)
    op.create_table(
        name,
        *(sa.Column(column, _KEYS[column], nullable=False) for column in keys),
        *(sa.Column(column, sa.BigInteger(), nullable=False) for column in sums),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def _number_running_searches() -> None:
    """Say of searches of running experiments which start they belong to: the last one."""
    experiments = _table("experiments", "collection", "id", "state", "plan", moment="started_at")
    impressions = _table("impressions", "collection", "experiment", "run", moment="at")
    for row in op.get_bind().execute(sa.select(experiments).where(experiments.c.state == "running")).all():
        plan = json.loads(row.plan) if isinstance(row.plan, str) else row.plan
        of_run = (impressions.c.collection == row.collection) & (impressions.c.experiment == row.id)
        of_run &= impressions.c.at >= row.started_at
        op.execute(sa.update(impressions).where(of_run).values(run=plan["starts"]))


def _table(name: str, *columns: str, moment: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(one) for one in columns), sa.column(moment, UtcDateTime()))


def _forget_what_outcomes_gained() -> None:
    """Take out of stored outcomes what the release before cannot read."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "UPDATE impressions SET outcome = (outcome::jsonb - 'clicked_ms' - 'revenue')::json "
            "WHERE outcome::jsonb ? 'clicked_ms' OR outcome::jsonb ? 'revenue'"
        )
        return
    op.execute(
        "UPDATE impressions SET outcome = json_remove(outcome, '$.clicked_ms', '$.revenue') "
        "WHERE json_type(outcome, '$.clicked_ms') IS NOT NULL OR json_type(outcome, '$.revenue') IS NOT NULL"
    )
