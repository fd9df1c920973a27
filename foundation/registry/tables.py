"""Tables of versions, their statuses, and the champion's moves. Written by the retrainer through the registry."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata, name_column

versions = Table(
    "versions",
    metadata,
    collection_column(),
    Column("id", String(64), primary_key=True),
    Column("parent", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("manifest", sa.JSON, nullable=False),
    Column("lineage", sa.JSON, nullable=False),
    Column("metrics", sa.JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    name_column(),
    Index("versions_by_name", "collection", "name", unique=True),
)

version_statuses = Table(
    "version_statuses",
    metadata,
    collection_column(),
    Column("version", String(64), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    actor_column(),
)

champion_moves = Table(
    "champion_moves",
    metadata,
    collection_column(),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("version", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False, server_default="promotion"),
    actor_column(),
)
