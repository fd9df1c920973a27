"""Tables that serving alone writes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, String, Table, Text

from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata

documents = Table(
    "documents",
    metadata,
    collection_column(),
    Column("id", String(256), primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("fields", sa.JSON, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("documents_by_change", "collection", "change"),
)


replicas = Table(
    "replicas",
    metadata,
    collection_column(),
    Column("replica", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("problem", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)


fields = Table(
    "fields",
    metadata,
    collection_column(),
    Column("name", String(256), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("weight", Float, nullable=False, server_default="0"),
    actor_column("declared_by"),
)


relevance_revisions = Table(
    "relevance_revisions",
    metadata,
    collection_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("serves", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    actor_column(),
)


relevance_changes = Table(
    "relevance_changes",
    metadata,
    collection_column(),
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("content", sa.JSON(none_as_null=True), nullable=True),
)
