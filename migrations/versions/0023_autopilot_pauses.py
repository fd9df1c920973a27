"""The autopilot of a collection can be paused.

Revision: 0023
Follows: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "autopilot_pauses",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("collection", "number", name="pk_autopilot_pauses"),
    )


def downgrade() -> None:
    op.drop_table("autopilot_pauses")
