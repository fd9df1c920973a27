"""People judge queries that nothing is learned from.

Revision: 0022
Follows: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gold_judgments",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("query", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document_id", sa.String(256), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("collection", "number", name="pk_gold_judgments"),
    )
    op.create_index("gold_judgments_by_query", "gold_judgments", ["collection", "query", "document_id", "number"])


def downgrade() -> None:
    op.drop_index("gold_judgments_by_query", table_name="gold_judgments")
    op.drop_table("gold_judgments")
