"""Leases carry a number that grows with every holder.

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leases", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("leases", "number")
