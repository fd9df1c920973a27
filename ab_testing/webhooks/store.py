"""The SQL of webhook deliveries. Functions take an open connection; the caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from ab_testing.tables import webhook_deliveries as deliveries

DeliveryState = Literal["waiting", "delivered", "given_up"]


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A message for one receiver, and how far it has come."""

    collection: str = field(metadata={"description": "The collection of the experiment."})
    decision: str = field(metadata={"description": "The decision's id, and the message's."})
    number: int = field(metadata={"description": "Which of the URLs it is for, from 0."})
    url: str = field(metadata={"description": "Where it goes."})
    body: str = field(metadata={"description": "What is sent, the same at every attempt."})
    state: DeliveryState = field(metadata={"description": "waiting, delivered, or given_up after the last attempt."})
    attempts: int = field(metadata={"description": "Attempts so far."})
    next_at: datetime = field(metadata={"description": "When it is tried, or was last tried."})
    told: str = field(metadata={"description": "How the last attempt ended."})


def insert(connection: sa.Connection, rows: Iterable[WebhookDelivery]) -> None:
    """Add messages."""
    if values := [asdict(row) for row in rows]:
        connection.execute(sa.insert(deliveries), values)


def due(connection: sa.Connection, now: datetime, limit: int) -> list[WebhookDelivery]:
    """Return messages whose time has come, the longest waiting first."""
    waits = (deliveries.c.state == "waiting") & (deliveries.c.next_at <= now)
    return _read(connection, sa.select(deliveries).where(waits).order_by(deliveries.c.next_at).limit(limit))


def latest(connection: sa.Connection, collection: str, limit: int) -> list[WebhookDelivery]:
    """Return a collection's messages, newest first."""
    mine = sa.select(deliveries).where(deliveries.c.collection == collection)
    return _read(connection, mine.order_by(deliveries.c.decision.desc(), deliveries.c.number).limit(limit))


def record(connection: sa.Connection, one: WebhookDelivery) -> None:
    """Keep how far a message has come."""
    mine = [deliveries.c[name] == getattr(one, name) for name in ("collection", "decision", "number")]
    changed = {name: getattr(one, name) for name in ("state", "attempts", "next_at", "told")}
    connection.execute(sa.update(deliveries).where(*mine).values(changed))


def _read(connection: sa.Connection, statement: sa.Select[Any]) -> list[WebhookDelivery]:
    return [WebhookDelivery(**row) for row in connection.execute(statement).mappings()]
