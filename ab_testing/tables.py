"""Tables that experiments alone write."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, Integer, String, Table, Text

from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata

experiments = Table(
    "experiments",
    metadata,
    collection_column(),
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("plan", sa.JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    actor_column("created_by"),
    actor_column("started_by"),
)

experiment_days = Table(
    "experiment_days",
    metadata,
    collection_column(),
    Column("experiment", String(64), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("arm", String(32), primary_key=True),
    Column("statistics", sa.JSON, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    collection_column(),
    Column("id", String(64), primary_key=True),
    Column("experiment", String(64), nullable=False),
    Column("verdict", String(24), nullable=False),
    Column("inputs", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("score", Float, nullable=True),
    actor_column(),
)
