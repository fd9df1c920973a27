"""The latest events are found without a scan.

Revision: 0007
Follows: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("events_by_time", "events", ["collection", "received_at"])


def downgrade() -> None:
    op.drop_index("events_by_time", "events")
