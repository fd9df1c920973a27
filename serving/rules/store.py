"""The revisions of every collection's relevance settings: sole writer of their two tables, which only grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.database.engine import reading, take_numbers, transaction
from foundation.errors import FieldFault, InvalidRequest, NotFound
from serving.catalog.changes import RELEVANCE
from serving.rules.settings import MAX_ITEMS, ItemKey, Items, Kind
from serving.tables import relevance_changes, relevance_revisions


@dataclass(frozen=True, slots=True)
class Revision:
    """The settings of a collection as they were once said.

    Attributes:
        number: From 1 on in each collection; 0 before anything was said.
        serves: Whether it was meant to serve when it was made; a draft waits for an experiment, or to be served.
        note: Why, for people.
    """

    number: int
    serves: bool
    note: str
    at: datetime | None
    actor: str


NOTHING = Revision(0, True, "", None, "")


class RelevanceRevisions:
    """Revisions in the database. A later one that serves takes the place of the former; none is ever changed."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def standing(self, collection: str) -> tuple[Revision, dict[ItemKey, dict[str, Any]]]:
        """Return the revision that serves, with its settings."""
        with reading(self._engine) as connection:
            revision = _standing(connection, collection)
            return revision, _items(connection, collection, revision.number)

    def of(self, collection: str, number: int) -> tuple[Revision, dict[ItemKey, dict[str, Any]]]:
        """Return a revision with its settings.

        Raises:
            NotFound: The collection has none of this number.
        """
        with reading(self._engine) as connection:
            return _find(connection, collection, number), _items(connection, collection, number)

    def history(self, collection: str, limit: int) -> list[Revision]:
        """Return the latest revisions, the last one first."""
        mine = relevance_revisions.c.collection == collection
        statement = _OF_REVISION.where(mine).order_by(relevance_revisions.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Revision(**row._mapping) for row in connection.execute(statement)]

    def change(
        self,
        collection: str,
        changes: Mapping[ItemKey, Mapping[str, Any] | None],
        *,
        actor: str,
        note: str = "",
        serves: bool = True,
    ) -> Revision:
        """Change what serves by some settings, withdraw those that are None, and return the new revision.

        What would change nothing makes no revision.

        Args:
            serves: false makes a draft: what serves stays.

        Raises:
            InvalidRequest: The collection would have too many; nothing was changed.
        """
        with transaction(self._engine) as connection:
            number = take_numbers(connection, RELEVANCE + collection, 1)
            standing = _standing(connection, collection)
            before = _items(connection, collection, standing.number)
            wanted = {key: dict(one) for key, one in {**before, **changes}.items() if one is not None}
            if wanted == before and serves:
                return standing
            _check_counts(wanted)
            made = Revision(number, serves, note, self._clock.now(), actor)
            _append(connection, collection, made, wanted)
            return made

    def withdraw(self, collection: str, *, actor: str, note: str = "") -> None:
        """Withdraw everything that serves; where nothing does, nothing happens."""
        _, items = self.standing(collection)
        if items:
            self.change(collection, dict.fromkeys(items), actor=actor, note=note)

    def serve(self, collection: str, number: int, *, actor: str, note: str = "") -> Revision:
        """Let an earlier revision, or a draft, serve again: as a new one that says the same.

        Raises:
            NotFound: The collection has none of this number.
        """
        with transaction(self._engine) as connection:
            fresh = take_numbers(connection, RELEVANCE + collection, 1)
            _find(connection, collection, number)
            made = Revision(fresh, True, note or f"revision {number} again", self._clock.now(), actor)
            _append(connection, collection, made, _items(connection, collection, number))
            return made


_OF_REVISION = sa.select(*(relevance_revisions.c[name] for name in Revision.__slots__))


def _standing(connection: sa.Connection, collection: str) -> Revision:
    table = relevance_revisions.c
    serving = _OF_REVISION.where(table.collection == collection, table.serves)
    row = connection.execute(serving.order_by(table.number.desc()).limit(1)).first()
    return Revision(**row._mapping) if row else NOTHING


def _find(connection: sa.Connection, collection: str, number: int) -> Revision:
    table = relevance_revisions.c
    row = connection.execute(_OF_REVISION.where(table.collection == collection, table.number == number)).first()
    if row is None:
        raise NotFound(f"collection {collection!r} has no revision {number} of its relevance settings")
    return Revision(**row._mapping)


def _items(connection: sa.Connection, collection: str, number: int) -> dict[ItemKey, dict[str, Any]]:
    """Return the settings as of a revision: of each the latest change until then."""
    table, later = relevance_changes, relevance_changes.alias("later")
    replaced = sa.exists().where(
        *(later.c[name] == table.c[name] for name in ("collection", "kind", "name")),
        later.c.number > table.c.number,
        later.c.number <= number,
    )
    until = (table.c.collection == collection, table.c.number <= number)
    rows = connection.execute(sa.select(table.c.kind, table.c.name, table.c.content).where(*until, ~replaced))
    return {(row.kind, row.name): row.content for row in rows if row.content is not None}


def _append(connection: sa.Connection, collection: str, made: Revision, wanted: Items) -> None:
    """Add a revision as what differs from the one before it, a draft or not."""
    before = _items(connection, collection, made.number - 1)
    rows = [
        {"collection": collection, "kind": key[0], "name": key[1], "number": made.number, "content": wanted.get(key)}
        for key in sorted(before.keys() | wanted.keys())
        if before.get(key) != wanted.get(key)
    ]
    if rows:
        connection.execute(sa.insert(relevance_changes), rows)
    columns = {name: getattr(made, name) for name in Revision.__slots__}
    connection.execute(sa.insert(relevance_revisions).values(collection=collection, **columns))


def _check_counts(wanted: Items) -> None:
    counts: dict[Kind, int] = {}
    for kind, _ in wanted:
        counts[kind] = counts.get(kind, 0) + 1
    for kind, count in counts.items():
        if count > MAX_ITEMS[kind]:
            reason = f"would make {count} of kind {kind}; a collection has at most {MAX_ITEMS[kind]}"
            raise InvalidRequest(f"the body {reason}", (FieldFault("body", reason),))
