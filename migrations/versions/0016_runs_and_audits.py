"""Experiments know their run, their champion and the evidence that both sides read; decisions can be recomputed.

The statistics of single days that an older release kept are dropped: they hold other sums.

Revision: 0016
Follows: 0015
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from foundation.database.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_EXPERIMENTS = sa.table(
    "experiments",
    sa.column("collection", sa.String),
    sa.column("id", sa.String),
    sa.column("plan", sa.JSON),
    sa.column("run", sa.Integer),
)


def upgrade() -> None:
    for column in (
        _number("run", sa.Integer()),
        _text("champion"),
        _number("slots_from", sa.Float()),
        _text("pinned"),
        sa.Column("pinned_at", UtcDateTime(), nullable=True),
    ):
        op.add_column("experiments", column)
    _move_runs()
    for column in (_number("run", sa.Integer()), _text("plan_hash"), _number("change", sa.BigInteger())):
        op.add_column("decisions", column)
    op.drop_table("experiment_days")
    _create("experiment_looks", ("run", "day"), "look")


def downgrade() -> None:
    op.drop_table("experiment_looks")
    _create("experiment_days", ("day", "arm"), "statistics")
    for name in ("change", "plan_hash", "run"):
        op.drop_column("decisions", name)
    _move_runs_back()
    for name in ("pinned_at", "pinned", "slots_from", "champion", "run"):
        op.drop_column("experiments", name)


def _create(name: str, key: tuple[str, ...], content: str) -> None:
    kinds: dict[str, Any] = {"arm": sa.String(32), "run": sa.Integer(), "day": sa.Integer()}
    keys: dict[str, Any] = {"collection": sa.String(64), "experiment": sa.String(64)} | {
        column: kinds[column] for column in key
    }
    op.create_table(
        name,
        *(sa.Column(column, kind, nullable=False) for column, kind in keys.items()),
        sa.Column(content, sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
    )


def _move_runs() -> None:
    """Take the number of the run out of the plan, which from now on holds only what was planned."""
    for row in op.get_bind().execute(sa.select(_EXPERIMENTS)).all():
        plan = dict(row.plan)
        _update(row, {"run": plan.pop("starts", 0), "plan": plan})


def _move_runs_back() -> None:
    for row in op.get_bind().execute(sa.select(_EXPERIMENTS)).all():
        _update(row, {"plan": row.plan | {"starts": row.run}})


def _update(row: sa.Row[Any], values: dict[str, Any]) -> None:
    mine = (_EXPERIMENTS.c.collection == row.collection) & (_EXPERIMENTS.c.id == row.id)
    op.get_bind().execute(sa.update(_EXPERIMENTS).where(mine).values(values))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=False, server_default=sa.text("''"))


def _number(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text("0"))
