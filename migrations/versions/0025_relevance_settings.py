"""Relevance settings as revisions, and clicks on what a rule put at its rank.

Revision: 0025
Follows: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_BY_UNIT = ["collection", "unit", "period", "clicks"]


def upgrade() -> None:
    op.create_table(
        "relevance_revisions",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("serves", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("collection", "number", name="pk_relevance_revisions"),
    )
    op.create_table(
        "relevance_changes",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("collection", "kind", "name", "number", name="pk_relevance_changes"),
    )
    op.add_column("impressions", sa.Column("forced_clicks", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("impressions_by_unit", "impressions")
    op.create_index("impressions_by_unit", "impressions", [*_BY_UNIT, "forced_clicks", "at"])


def downgrade() -> None:
    op.drop_index("impressions_by_unit", "impressions")
    op.create_index("impressions_by_unit", "impressions", [*_BY_UNIT, "at"])
    op.drop_column("impressions", "forced_clicks")
    op.drop_table("relevance_changes")
    op.drop_table("relevance_revisions")
