"""Tables of the embedded log, and how far each consumer of any log has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from foundation.database.tables import metadata

log_records = Table(
    "log_records",
    metadata,
    Column("topic", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),
)

log_positions = Table(
    "log_positions",
    metadata,
    Column("consumer", String(64), primary_key=True),
    Column("topic", String(64), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
