"""Declared fields may be searched, with a weight.

Revision: 0024
Follows: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fields", sa.Column("weight", sa.Float(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("fields", "weight")
