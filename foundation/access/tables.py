"""Tables of API keys, and of what was done by hand."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, String, Table

from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("collection", String(64), nullable=False),
    Column("role", String(16), nullable=False, server_default="admin"),
    Column("created_at", UtcDateTime, nullable=False),
    actor_column("made_by"),
    sa.UniqueConstraint("collection", "name"),
)

actions = Table(
    "actions",
    metadata,
    collection_column(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("detail", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    actor_column(),
)
