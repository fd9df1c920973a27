"""Tables that experiments alone write."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Float, Integer, String, Table, Text

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
    Column("run", Integer, nullable=False, server_default=sa.text("0")),
    Column("champion", String(64), nullable=False, server_default=sa.text("''")),
    Column("slots_from", Float, nullable=False, server_default=sa.text("0")),
    Column("pinned", String(64), nullable=False, server_default=sa.text("''")),
    Column("pinned_at", UtcDateTime, nullable=True),
    actor_column("created_by"),
    actor_column("started_by"),
)

experiment_looks = Table(
    "experiment_looks",
    metadata,
    collection_column(),
    Column("experiment", String(64), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("look", sa.JSON, nullable=False),
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
    Column("run", Integer, nullable=False, server_default=sa.text("0")),
    Column("plan_hash", String(64), nullable=False, server_default=sa.text("''")),
    Column("change", BigInteger, nullable=False, server_default=sa.text("0")),
    actor_column(),
)

metric_changes = Table(
    "metric_changes",
    metadata,
    collection_column(),
    Column("name", String(48), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("definition", sa.JSON(none_as_null=True), nullable=True),
    Column("at", UtcDateTime, nullable=False),
    actor_column(),
)
"""How apps defined metrics of their own. The last change of one holds; one without a definition removes it."""

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    collection_column(),
    Column("decision", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("told", Text, nullable=False),
    sa.Index("webhook_deliveries_due", "state", "next_at"),
)
"""Messages about decisions, one for each receiver; added in the transaction of the decision."""
