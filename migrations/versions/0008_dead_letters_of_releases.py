"""Dead letters say which release put them aside, and the latest ones are found without a scan.

Revision: 0008
Follows: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dead_letters", sa.Column("release", sa.String(32), nullable=False, server_default="unknown"))
    op.create_index("dead_letters_by_time", "dead_letters", ["at"])


def downgrade() -> None:
    op.drop_index("dead_letters_by_time", "dead_letters")
    op.drop_column("dead_letters", "release")
