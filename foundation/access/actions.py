"""What was done by hand and is recorded nowhere else: keys, declared fields, holds, names. Rows are only added."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.access.tables import actions
from foundation.database.engine import reading, take_numbers

_MAX_SUBJECT = 256


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that somebody did.

    Attributes:
        sequence: Its place in the collection's history, from 1.
        action: What was done, in words: "key added".
        subject: What it was done to: the key's name, the field's, the user's pseudonym.
        detail: What else there is to know of it.
        actor: Who did it; see `foundation.access.actors`.
    """

    sequence: int
    action: str
    subject: str
    detail: dict[str, Any]
    at: datetime
    actor: str


def record_action(
    connection: sa.Connection,
    collection: str,
    *,
    action: str,
    subject: str,
    at: datetime,
    actor: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add what was done, in the transaction that does it."""
    sequence = take_numbers(connection, f"actions:{collection}", 1)
    row = {"action": action, "subject": subject[:_MAX_SUBJECT], "detail": dict(detail or {}), "actor": actor}
    connection.execute(sa.insert(actions).values(collection=collection, sequence=sequence, at=at, **row))


def latest_actions(engine: sa.Engine, collection: str, limit: int) -> list[Action]:
    """Return what was done in a collection, the last thing first."""
    statement = (
        sa.select(*(actions.c[name] for name in Action.__slots__))
        .where(actions.c.collection == collection)
        .order_by(actions.c.sequence.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        return [Action(**row._mapping) for row in connection.execute(statement)]


def forget_subjects(connection: sa.Connection, collection: str, subjects: Collection[str]) -> None:
    """Delete what was done to people who are erased."""
    of_them = (actions.c.collection == collection) & actions.c.subject.in_(subjects)
    connection.execute(sa.delete(actions).where(of_them))
