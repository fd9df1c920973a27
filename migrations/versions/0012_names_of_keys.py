"""No two keys of a collection have one name; of those that do, the later ones get a name of their own.

Revision: 0012
Follows: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MAX_NAME = 160
_KEYS = sa.table("api_keys", *map(sa.column, ("digest", "collection", "name", "created_at")))


def upgrade() -> None:
    _rename_later_ones(op.get_bind())
    with op.batch_alter_table("api_keys") as table:
        table.create_unique_constraint("uq_api_keys_collection_name", ["collection", "name"])


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.drop_constraint("uq_api_keys_collection_name", type_="unique")


def _rename_later_ones(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(_KEYS).order_by(_KEYS.c.created_at, _KEYS.c.digest)).all()
    taken: set[tuple[str, str]] = set()
    for row in rows:
        name = row.name
        if (row.collection, name) in taken:
            ending = f"-{row.digest}"
            name = row.name[: _MAX_NAME - len(ending)] + ending
            connection.execute(sa.update(_KEYS).where(_KEYS.c.digest == row.digest).values(name=name))
        taken.add((row.collection, name))
