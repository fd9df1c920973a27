"""Keys have roles; users can be held in quarantine.

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from foundation.database.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("role", sa.String(16), nullable=False, server_default="admin"))
    op.create_table(
        "quarantine",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(256), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("released_by", sa.String(160), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("collection", "unit", name="pk_quarantine"),
    )
    op.create_index("impressions_by_unit", "impressions", ["collection", "unit"])


def downgrade() -> None:
    op.drop_index("impressions_by_unit", "impressions")
    op.drop_table("quarantine")
    op.drop_column("api_keys", "role")
