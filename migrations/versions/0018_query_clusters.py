"""A query keeps the cluster that it was in when it was first seen.

Revision: 0018
Follows: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "query_clusters",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("query", sa.String(64), nullable=False),
        sa.Column("cluster", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("collection", "query", name="pk_query_clusters"),
    )


def downgrade() -> None:
    op.drop_table("query_clusters")
