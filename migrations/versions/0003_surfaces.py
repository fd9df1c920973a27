"""Impressions tell where they were shown.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("impressions", sa.Column("surface", sa.String(32), nullable=False, server_default="page"))


def downgrade() -> None:
    op.drop_column("impressions", "surface")
