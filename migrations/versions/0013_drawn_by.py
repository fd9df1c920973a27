"""A list says by which session its arm was drawn, where that is not whom it counts for.

Revision: 0013
Follows: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("impressions", sa.Column("drawn_by", sa.String(256), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("impressions", "drawn_by")
