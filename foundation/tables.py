"""Every table, each under the name of the one part that writes it. Built by `migrations/`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text


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


class CountList(sa.TypeDecorator[tuple[int, ...]]):
    """Counts by rank, kept as JSON. There are many and few that differ, so each is written and parsed once."""

    impl = sa.JSON
    cache_ok = True

    def bind_processor(self, _dialect: sa.Dialect) -> Callable[[Any], str]:
        """Return what makes the text that is stored of any sequence of counts."""
        return lambda counts: _written(tuple(counts))

    def result_processor(self, dialect: sa.Dialect, _coltype: object) -> Callable[[Any], tuple[int, ...]]:
        """Return what makes counts of what the driver hands over: SQLite's the text, PostgreSQL's a list."""
        return _parsed if dialect.name == "sqlite" else tuple


@lru_cache(maxsize=4096)
def _written(counts: tuple[int, ...]) -> str:
    return json.dumps(counts)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""One name per constraint on every database, so that a migration can refer to it."""


def _collection() -> Column[str]:
    return Column("collection", String(64), primary_key=True)


def _actor(name: str = "actor") -> Column[str]:
    """Return the column of who did it, "" for what was done before that was recorded; see `foundation.actors`."""
    return Column(name, String(200), nullable=False, server_default=sa.text("''"))


def _name() -> Column[str]:
    return Column("name", String(64), nullable=False)


# foundation ---------------------------------------------------------------------------------------

counters = Table(
    "counters",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

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

leases = Table(
    "leases",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("number", BigInteger, nullable=False, server_default="0"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("name", String(160), nullable=False),
    Column("collection", String(64), nullable=False),
    Column("role", String(16), nullable=False, server_default="admin"),
    Column("created_at", UtcDateTime, nullable=False),
    _actor("made_by"),
    sa.UniqueConstraint("collection", "name"),
)

actions = Table(
    "actions",
    metadata,
    _collection(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("detail", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    _actor(),
)

# serving ------------------------------------------------------------------------------------------

documents = Table(
    "documents",
    metadata,
    _collection(),
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
    _collection(),
    Column("replica", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("problem", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

fields = Table(
    "fields",
    metadata,
    _collection(),
    Column("name", String(256), primary_key=True),
    Column("type", String(16), nullable=False),
    _actor("declared_by"),
)

# collector ----------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    _collection(),
    Column("id", String(128), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("query_id", String(128), nullable=False),
    Column("body", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index("events_by_query", "collection", "query_id"),
    Index("events_by_time", "collection", "received_at"),
)

impressions = Table(
    "impressions",
    metadata,
    _collection(),
    Column("query_id", String(128), primary_key=True),
    Column("query", Text, nullable=False),
    Column("query_key", Text, nullable=False),
    Column("unit", String(256), nullable=False),
    Column("period", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("experiment", String(64), nullable=False),
    Column("arm", String(32), nullable=False),
    Column("surface", String(32), nullable=False, server_default="page"),
    Column("drawn_by", String(256), nullable=False, server_default=sa.text("''")),
    Column("results", sa.JSON, nullable=False),
    Column("outcome", sa.JSON, nullable=False),
    Column("clicks", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("impressions_by_vote", "collection", "query_key", "unit", "period"),
    Index("impressions_by_experiment", "collection", "experiment", "at"),
    Index("impressions_by_time", "collection", "at"),
    Index("impressions_by_unit", "collection", "unit", "period", "clicks", "at"),
)

evidence = Table(
    "evidence",
    metadata,
    _collection(),
    Column("query_key", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("document_id", String(256), primary_key=True),
    Column("nameless", Boolean, primary_key=True, autoincrement=False),
    Column("shown", CountList, nullable=False),
    Column("clicked", CountList, nullable=False),
    Column("users", Integer, nullable=False),
    Column("satisfied", Integer, nullable=False),
    Column("dissatisfied", Integer, nullable=False),
    Column("rating_sum", Integer, nullable=False),
    Column("ratings", Integer, nullable=False),
    Column("conversions", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("evidence_by_change", "collection", "change"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _collection(),
    Column("unit", String(256), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reasons", sa.JSON, nullable=False),
    Column("score", Float, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("released_at", UtcDateTime, nullable=True),
    _actor("held_by"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("collection", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("release", String(32), nullable=False, server_default="unknown"),
    Index("dead_letters_by_time", "at"),
)

erasures = Table(
    "erasures",
    metadata,
    _collection(),
    Column("id", String(64), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("counts", sa.JSON, nullable=False),
    Column("versions", sa.JSON, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("signature", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("swept", Boolean, nullable=False),
    _actor(),
    Index("erasures_by_person", "collection", "person"),
)

# retrainer ----------------------------------------------------------------------------------------

versions = Table(
    "versions",
    metadata,
    _collection(),
    Column("id", String(64), primary_key=True),
    Column("parent", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("manifest", sa.JSON, nullable=False),
    Column("lineage", sa.JSON, nullable=False),
    Column("metrics", sa.JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    _name(),
    Index("versions_by_name", "collection", "name", unique=True),
)

version_statuses = Table(
    "version_statuses",
    metadata,
    _collection(),
    Column("version", String(64), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    _actor(),
)

champion_moves = Table(
    "champion_moves",
    metadata,
    _collection(),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("version", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False, server_default="promotion"),
    _actor(),
)

training_runs = Table(
    "training_runs",
    metadata,
    _collection(),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("autopilot", Boolean, nullable=False),
    Column("version", String(64), nullable=False),
    Column("experiment", String(64), nullable=False),
    Column("report", sa.JSON, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    _name(),
    _actor(),
    Index("training_runs_by_name", "collection", "name", unique=True),
)

# ab_testing ---------------------------------------------------------------------------------------

experiments = Table(
    "experiments",
    metadata,
    _collection(),
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("plan", sa.JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    _actor("created_by"),
    _actor("started_by"),
)

experiment_days = Table(
    "experiment_days",
    metadata,
    _collection(),
    Column("experiment", String(64), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("arm", String(32), primary_key=True),
    Column("statistics", sa.JSON, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    _collection(),
    Column("id", String(64), primary_key=True),
    Column("experiment", String(64), nullable=False),
    Column("verdict", String(24), nullable=False),
    Column("inputs", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("score", Float, nullable=True),
    _actor(),
)
