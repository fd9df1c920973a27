"""Apps define metrics of their own over custom events, which are added up beside the outcomes of searches.

Revision: 0017
Follows: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from foundation.database.tables import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custom_outcomes",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("experiment", sa.String(64), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(256), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(32), nullable=False),
        sa.Column("surface", sa.String(32), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("had_evidence", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("searches", "events", "value")),
        sa.PrimaryKeyConstraint(
            *("collection", "experiment", "run", "unit", "day", "arm", "surface", "known", "had_evidence", "name"),
            name="pk_custom_outcomes",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "metric_changes",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("name", sa.String(48), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("collection", "name", "number", name="pk_metric_changes"),
    )


def downgrade() -> None:
    op.drop_table("metric_changes")
    op.drop_table("custom_outcomes")
