"""Whoever changes something is named; versions and runs have names; a version keeps every status it had.

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from foundation.database.tables import UtcDateTime
from foundation.registry.names import free_name

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ACTORS = {
    "api_keys": ("made_by",),
    "fields": ("declared_by",),
    "quarantine": ("held_by",),
    "erasures": ("actor",),
    "champion_moves": ("actor",),
    "training_runs": ("actor",),
    "experiments": ("created_by", "started_by"),
    "decisions": ("actor",),
}
_NAMED = ("versions", "training_runs")


def upgrade() -> None:
    for table, columns in _ACTORS.items():
        for name in columns:
            op.add_column(table, _actor(name))
    op.add_column("champion_moves", sa.Column("kind", sa.String(16), nullable=False, server_default="promotion"))
    _tell_rollbacks()
    with op.batch_alter_table("quarantine") as quarantine:
        quarantine.alter_column("released_by", type_=sa.String(200), existing_nullable=False)
    _create_tables()
    _begin_histories()
    for table in _NAMED:
        op.add_column(table, sa.Column("name", sa.String(64), nullable=True))
    _name_versions()
    _name_runs()
    for table in _NAMED:
        with op.batch_alter_table(table) as named:
            named.alter_column("name", existing_type=sa.String(64), nullable=False)
        op.create_index(f"{table}_by_name", table, ["collection", "name"], unique=True)


def downgrade() -> None:
    for table in _NAMED:
        op.drop_index(f"{table}_by_name", table)
        op.drop_column(table, "name")
    op.drop_table("version_statuses")
    op.drop_table("actions")
    with op.batch_alter_table("quarantine") as quarantine:
        quarantine.alter_column("released_by", type_=sa.String(160), existing_nullable=False)
    op.drop_column("champion_moves", "kind")
    for table, columns in _ACTORS.items():
        for name in columns:
            op.drop_column(table, name)


def _actor(name: str = "actor") -> sa.Column[str]:
    return sa.Column(name, sa.String(200), nullable=False, server_default=sa.text("''"))


def _create_tables() -> None:
    op.create_table(
        "actions",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        _actor(),
        sa.PrimaryKeyConstraint("collection", "sequence", name="pk_actions"),
    )
    op.create_table(
        "version_statuses",
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        _actor(),
        sa.PrimaryKeyConstraint("collection", "version", "sequence", name="pk_version_statuses"),
    )


def _tell_rollbacks() -> None:
    """Call a move a rollback that leads to where the move before it came from: nothing else was kept of it."""
    op.execute(
        "UPDATE champion_moves SET kind = 'rollback' WHERE EXISTS (SELECT 1 FROM champion_moves AS undone "
        "WHERE undone.collection = champion_moves.collection AND undone.sequence = champion_moves.sequence - 1 "
        "AND undone.previous = champion_moves.version)"
    )


def _begin_histories() -> None:
    """Let each version's history begin with the status it has; what it had before was not kept."""
    op.execute(
        "INSERT INTO version_statuses (collection, version, sequence, status, reason, at) "
        "SELECT collection, id, 0, status, reason, created_at FROM versions"
    )


def _name_versions() -> None:
    versions = sa.table("versions", *map(sa.column, ("collection", "id", "parent", "name")), _moment("created_at"))
    rows = op.get_bind().execute(sa.select(versions).order_by(versions.c.created_at, versions.c.id)).all()
    _write(versions, [(row, f"trained-{row.created_at:%Y-%m-%d}" if row.parent else "untuned") for row in rows])


def _name_runs() -> None:
    runs = sa.table("training_runs", *map(sa.column, ("collection", "id", "name")), _moment("requested_at"))
    rows = op.get_bind().execute(sa.select(runs).order_by(runs.c.requested_at, runs.c.id)).all()
    _write(runs, [(row, f"run-{row.requested_at:%Y-%m-%d}") for row in rows])


def _moment(name: str) -> sa.ColumnClause[object]:
    return sa.column(name, UtcDateTime())


def _write(table: sa.TableClause, wanted: list[tuple[sa.Row[tuple[object, ...]], str]]) -> None:
    taken: dict[str, set[str]] = {}
    for row, name in wanted:
        mine = taken.setdefault(row.collection, set())
        mine.add(own := free_name(name, mine))
        this = (table.c.collection == row.collection) & (table.c.id == row.id)
        op.execute(sa.update(table).where(this).values(name=own))
