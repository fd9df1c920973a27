"""The retrainer's tables, which it alone writes: training runs, clusters of queries, judgments, pauses."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata, name_column

training_runs = Table(
    "training_runs",
    metadata,
    collection_column(),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("autopilot", Boolean, nullable=False),
    Column("version", String(64), nullable=False),
    Column("experiment", String(64), nullable=False),
    Column("report", sa.JSON, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    name_column(),
    actor_column(),
    Index("training_runs_by_name", "collection", "name", unique=True),
)

query_clusters = Table(
    "query_clusters",
    metadata,
    collection_column(),
    Column("query", String(64), primary_key=True),
    Column("cluster", String(64), nullable=False),
)
"""Which queries never part: by their digests, each with the cluster that it was in when it was first seen."""

gold_judgments = Table(
    "gold_judgments",
    metadata,
    collection_column(),
    Column("number", BigInteger, primary_key=True),
    Column("query", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("document_id", String(256), nullable=False),
    Column("grade", Integer, nullable=True),
    Column("judged_at", UtcDateTime, nullable=False),
    actor_column(),
    Index("gold_judgments_by_query", "collection", "query", "document_id", "number"),
)
"""Judgments by people, in their order; the last one of a query, by its digest, and a document stands. One without a
grade takes them out."""

autopilot_pauses = Table(
    "autopilot_pauses",
    metadata,
    collection_column(),
    Column("number", BigInteger, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    actor_column(),
)
"""When the autopilot of a collection was paused and went on, in order; the last row stands."""
