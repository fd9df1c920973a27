"""What all tables have in common, and those of the database itself.

Each part keeps its own in its `tables.py` and alone writes them; `migrations/` builds them all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, String, Table


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC, timezone-aware in Python on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times; store the rest as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> datetime | None:
        """Return stored moments with their zone."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""One name per constraint on every database, so that a migration can refer to it."""


def collection_column() -> Column[str]:
    """Return the column of the collection, the first of a table's key."""
    return Column("collection", String(64), primary_key=True)


def actor_column(name: str = "actor") -> Column[str]:
    """Return the column of who did it (see `foundation.access.actors`), "" for what was done before it was recorded."""
    return Column(name, String(200), nullable=False, server_default=sa.text("''"))


def name_column() -> Column[str]:
    """Return the column of a name that people gave or that says what a thing is."""
    return Column("name", String(64), nullable=False)


counters = Table(
    "counters",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("number", BigInteger, nullable=False, server_default="0"),
)
