"""Which status a version had when, given by whom and why. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from foundation.database.engine import take_numbers
from foundation.registry.tables import version_statuses, versions

Status = Literal["candidate", "approved", "refused", "champion", "retired"]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A status that a version was given.

    Attributes:
        actor: Who gave it, "" before that was recorded; see `foundation.access.actors`.
    """

    status: str
    reason: str
    at: datetime
    actor: str


def take_turn(connection: sa.Connection, collection: str) -> int:
    """Return a number above all before; who else changes versions of the collection waits until the commit."""
    return take_numbers(connection, f"versions:{collection}", 1)


def give_status(
    connection: sa.Connection, collection: str, version: str, status: Status, reason: str, at: datetime, actor: str
) -> None:
    """Give a version a status, and add it to its history."""
    sequence = take_turn(connection, collection)
    mine = (versions.c.collection == collection) & (versions.c.id == version)
    connection.execute(sa.update(versions).where(mine).values(status=status, reason=reason))
    row = {"status": status, "reason": reason, "at": at, "actor": actor}
    connection.execute(
        sa.insert(version_statuses).values(collection=collection, version=version, sequence=sequence, **row)
    )


def read_history(connection: sa.Connection, collection: str, version: str) -> list[StatusChange]:
    """Return the statuses of a version, the first one first."""
    mine = (version_statuses.c.collection == collection) & (version_statuses.c.version == version)
    columns = (version_statuses.c[name] for name in StatusChange.__slots__)
    statement = sa.select(*columns).where(mine).order_by(version_statuses.c.sequence)
    return [StatusChange(**row._mapping) for row in connection.execute(statement)]
