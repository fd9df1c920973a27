"""Evidence of searches without user and session stands apart, and all of it is counted again.

Revision: 0011
Follows: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEY = ["collection", "query_key", "period", "document_id"]
_BY_UNIT = ["collection", "unit"]


def upgrade() -> None:
    _key_evidence_by(
        [*_KEY, "nameless"], sa.Column("nameless", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    with op.batch_alter_table("evidence") as table:
        table.alter_column("nameless", server_default=None, existing_type=sa.Boolean(), existing_nullable=False)
    op.drop_index("impressions_by_unit", "impressions")
    op.create_index("impressions_by_unit", "impressions", [*_BY_UNIT, "period", "clicks", "at"])
    op.execute(  # the collector does, when it starts: see `collector.join.replay`
        "INSERT INTO counters (name, value) SELECT 'recount:' || collection, 1 FROM evidence GROUP BY collection"
    )


def downgrade() -> None:
    op.execute("DELETE FROM counters WHERE name LIKE 'recount:%'")
    op.drop_index("impressions_by_unit", "impressions")
    op.create_index("impressions_by_unit", "impressions", _BY_UNIT)
    op.execute("DELETE FROM evidence WHERE nameless")  # `clickloop replay` of the release before counts it again
    _key_evidence_by(_KEY, None)
    with op.batch_alter_table("evidence") as table:
        table.drop_column("nameless")


def _key_evidence_by(names: list[str], added: sa.Column[bool] | None) -> None:
    with op.batch_alter_table("evidence") as table:
        if added is not None:
            table.add_column(added)
        table.drop_constraint("pk_evidence", type_="primary")
        table.create_primary_key("pk_evidence", names)
