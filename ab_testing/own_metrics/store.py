"""The SQL of metrics that apps define: sole writer of metric_changes. The caller owns the transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ab_testing.design.metric import MetricDefinition
from ab_testing.tables import metric_changes


def read(connection: sa.Connection, collection: str) -> dict[str, MetricDefinition]:
    """Return a collection's definitions by name, in the order of their names."""
    rows = connection.execute(_latest().where(metric_changes.c.collection == collection))
    return {row.name: MetricDefinition.from_json(row.definition) for row in rows}


def read_events(connection: sa.Connection) -> dict[str, frozenset[str]]:
    """Return the names of the custom events that the metrics of each collection count."""
    found: dict[str, frozenset[str]] = {}
    for row in connection.execute(_latest()):
        events = MetricDefinition.from_json(row.definition).events
        found[row.collection] = found.get(row.collection, frozenset()) | events
    return found


def append(
    connection: sa.Connection,
    collection: str,
    name: str,
    definition: MetricDefinition | None,
    *,
    at: datetime,
    actor: str,
) -> None:
    """Add a change of one metric; None removes it."""
    mine = (metric_changes.c.collection == collection) & (metric_changes.c.name == name)
    number = sa.select(sa.func.coalesce(sa.func.max(metric_changes.c.number), 0) + 1).where(mine).scalar_subquery()
    row: dict[str, Any] = {"collection": collection, "name": name, "number": number, "at": at, "actor": actor}
    value = definition.to_json() if definition else None
    connection.execute(sa.insert(metric_changes).values(definition=value, **row))


def _latest() -> sa.Select[Any]:
    other = metric_changes.alias("later")
    later = (other.c[name] == metric_changes.c[name] for name in ("collection", "name"))
    replaced = sa.exists().where(*later, other.c.number > metric_changes.c.number)
    latest = sa.select(metric_changes).where(~replaced, metric_changes.c.definition.is_not(None))
    return latest.order_by(metric_changes.c.collection, metric_changes.c.name)
