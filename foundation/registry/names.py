"""Names of versions and training runs: chosen by people, or saying what they are until somebody does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.access.actions import record_action
from foundation.errors import Conflict, NotFound

MAX_NAME = 64
NAME_PATTERN = r"^[^\W_][\w .-]{0,63}$"
"""A letter or digit, then letters, digits, spaces, dots, underscores and hyphens: fit for addresses and commands."""


def default_name(connection: sa.Connection, table: sa.Table, collection: str, stem: str, at: datetime | None) -> str:
    """Return `stem` and the day, with a number behind where the collection has such a name already."""
    name = f"{stem}-{at:%Y-%m-%d}" if at else stem
    mine = (table.c.collection == collection) & table.c.name.startswith(name, autoescape=True)
    return free_name(name, set(connection.execute(sa.select(table.c.name).where(mine)).scalars()))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name`, with the first number from 2 on behind it where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def find_row(connection: sa.Connection, table: sa.Table, collection: str, wanted: str) -> sa.Row[Any] | None:
    """Return the row that has `wanted` as its id or, if none has, as its name; None without one."""
    called = sa.or_(table.c.id == wanted, table.c.name == wanted)
    found = connection.execute(sa.select(table).where(table.c.collection == collection, called)).all()
    return next((row for row in found if row.id == wanted), found[0] if found else None)


def rename(
    connection: sa.Connection,
    table: sa.Table,
    collection: str,
    id_: str,
    name: str,
    *,
    action: str,
    at: datetime,
    actor: str,
) -> None:
    """Give a row another name, and record who did it.

    Args:
        action: What was done, in words: "version named".

    Raises:
        NotFound: There is no such row.
        Conflict: Another one of the collection is called so, or has it as its id.
    """
    other = find_row(connection, table, collection, name)
    if other and other.id != id_:
        raise Conflict(f"{other.id} of collection {collection!r} is called {name!r} already; choose another name")
    mine = (table.c.collection == collection) & (table.c.id == id_)
    before = connection.execute(sa.select(table.c.name).where(mine)).scalar_one_or_none()
    if before is None:
        raise NotFound(f"collection {collection!r} has nothing with the id {id_!r}")
    connection.execute(sa.update(table).where(mine).values(name=name))
    detail = {"from": before, "to": name}
    record_action(connection, collection, action=action, subject=id_, at=at, actor=actor, detail=detail)
