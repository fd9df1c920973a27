"""Outcomes keep whom clicks prefer of a second treatment, where three rankings are interleaved.

Revision: 0021
Follows: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_SIGNALS = ("preferred_2", "offered_2", "wins_2", "losses_2", "ties_2")


def upgrade() -> None:
    for name in _SIGNALS:
        op.add_column("outcomes", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in _SIGNALS:
        op.drop_column("outcomes", name)
