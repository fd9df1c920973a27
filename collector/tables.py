"""Tables that the collector alone writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from collector.fold.signals import SECOND_SIGNALS, SIGNALS, CustomSignals
from foundation.database.tables import UtcDateTime, actor_column, collection_column, metadata


class CountList(sa.TypeDecorator[tuple[int, ...]]):
    """Counts by rank, kept as JSON. There are many and few that differ, so each is written and parsed once."""

    impl = sa.JSON
    cache_ok = True

    def bind_processor(self, _dialect: sa.Dialect) -> Callable[[Any], str]:
        """Return what makes the text that is stored of any sequence of counts."""
        return lambda counts: _written(tuple(counts))

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the stored text: PostgreSQL's driver would parse each by itself."""
        return sa.type_coerce(sa.cast(column, sa.Text), self)

    def result_processor(self, _dialect: sa.Dialect, _coltype: object) -> Callable[[Any], tuple[int, ...]]:
        """Return what makes counts of the stored text."""
        return _parsed


@lru_cache(maxsize=4096)
def _written(counts: tuple[int, ...]) -> str:
    return json.dumps(counts)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


events = Table(
    "events",
    metadata,
    collection_column(),
    Column("id", String(128), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("query_id", String(128), nullable=False),
    Column("body", sa.JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("change", BigInteger, nullable=False, server_default="0"),
    Index("events_by_query", "collection", "query_id"),
    Index("events_by_time", "collection", "received_at"),
)


impressions = Table(
    "impressions",
    metadata,
    collection_column(),
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
    Column("forced_clicks", Integer, nullable=False, server_default="0"),
    Column("at", UtcDateTime, nullable=False),
    Column("run", Integer, nullable=False, server_default="0"),
    Column("plan_hash", String(64), nullable=False, server_default=sa.text("''")),
    Column("first_difference", Integer, nullable=False, server_default="0"),
    Column("had_evidence", Boolean, nullable=False, server_default=sa.false()),
    Column("known", Boolean, nullable=False, server_default=sa.false()),
    Column("took_ms", Float, nullable=False, server_default="0"),
    Column("change", BigInteger, nullable=False, server_default="0"),
    Index("impressions_by_vote", "collection", "query_key", "unit", "period"),
    Index(
        "impressions_by_experiment",
        *("collection", "experiment", "run", "drawn_by", "at"),
        sqlite_where=sa.text("experiment <> ''"),
        postgresql_where=sa.text("experiment <> ''"),
    ),
    Index("impressions_by_time", "collection", "at"),
    Index("impressions_by_unit", "collection", "unit", "period", "clicks", "forced_clicks", "at"),
)


evidence = Table(
    "evidence",
    metadata,
    collection_column(),
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


def _of_run() -> tuple[Column[Any], ...]:
    return (
        collection_column(),
        Column("experiment", String(64), primary_key=True),
        Column("run", Integer, primary_key=True, autoincrement=False),
        Column("unit", String(256), primary_key=True),
    )


def _of_stratum() -> tuple[Column[Any], ...]:
    return (
        *_of_run(),
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("arm", String(32), primary_key=True),
        Column("surface", String(32), primary_key=True),
        Column("known", Boolean, primary_key=True, autoincrement=False),
        Column("had_evidence", Boolean, primary_key=True, autoincrement=False),
    )


outcomes = Table(
    "outcomes",
    metadata,
    *_of_stratum(),
    *(
        Column(name, BigInteger, nullable=False, server_default="0" if name in SECOND_SIGNALS else None)
        for name in SIGNALS
    ),
    sqlite_with_rowid=False,
)
"""What the searches of an experiment's run add up to, by randomization unit, day and stratum; it has no zero rows."""


custom_outcomes = Table(
    "custom_outcomes",
    metadata,
    *_of_stratum(),
    Column("name", String(32), primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in CustomSignals._fields),
    sqlite_with_rowid=False,
)
"""What the custom events of the same searches add up to, by their name; it has no zero rows."""


outcome_latencies = Table(
    "outcome_latencies",
    metadata,
    *_of_run(),
    Column("arm", String(32), primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How many of the same searches took how long; see `collector.fold.signals.latency_bucket`."""


HELD = "held"
RELEASED = "released"
"""States of a user in the table `quarantine`."""

quarantine = Table(
    "quarantine",
    metadata,
    collection_column(),
    Column("unit", String(256), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reasons", sa.JSON, nullable=False),
    Column("score", Float, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("released_at", UtcDateTime, nullable=True),
    actor_column("held_by"),
)


quarantine_moves = Table(
    "quarantine_moves",
    metadata,
    collection_column(),
    Column("change", BigInteger, primary_key=True, autoincrement=False),
    Column("unit", String(256), primary_key=True),
    Column("state", String(16), nullable=False),
)
"""Every hold and release, by the change of the evidence that it was: who was held at which change."""


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
    collection_column(),
    Column("id", String(64), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("counts", sa.JSON, nullable=False),
    Column("versions", sa.JSON, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("signature", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("swept", Boolean, nullable=False),
    actor_column(),
    Index("erasures_by_person", "collection", "person"),
)
