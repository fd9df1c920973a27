"""One collection in one write transaction: its lock, and the conditions that all statements of the join share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from collector.fold.votes import VotesByList
from collector.join.retention_watermark import first_open_week, lock_evidence
from foundation.database.lookup import chunks, keys_as_rows
from foundation.settings import Settings


@dataclass(frozen=True, slots=True)
class Scope:
    """One collection in one write transaction, with its evidence locked until the transaction ends.

    Attributes:
        change: The number of this change of the evidence.
        first_open: The first week that takes feedback in, None where all do.
    """

    connection: sa.Connection
    collection: str
    settings: Settings
    change: int
    first_open: int | None

    @classmethod
    def lock(cls, connection: sa.Connection, collection: str, settings: Settings) -> Scope:
        """Wait for other transactions on the collection's evidence, and keep later ones waiting."""
        change = lock_evidence(connection, collection)
        return cls(connection, collection, settings, change, first_open_week(connection, collection))

    def mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Choose the rows of the collection."""
        return table.c.collection == self.collection

    def since(self, table: sa.Table, first_period: int | None = None) -> sa.ColumnElement[bool]:
        """Choose the rows of a week and of later ones, as far as these are open."""
        bounds = [bound for bound in (first_period, self.first_open) if bound is not None]
        return self.mine(table) & (table.c.period >= max(bounds)) if bounds else self.mine(table)

    def only_open(self, votes: VotesByList) -> VotesByList:
        """Return the lists of weeks that take feedback in."""
        first = self.first_open
        return {key: vote for key, vote in votes.items() if first is None or vote.period >= first}

    def keys(self, table: sa.Table, names: Sequence[str], keys: Collection[tuple[Any, ...]]) -> sa.CTE:
        """Return keys of the collection's rows, by the columns `names`, as rows to join with."""
        with_collection = [(self.collection, *key) for key in sorted(keys)]
        return keys_as_rows(self.connection, [table.c[name] for name in ("collection", *names)], with_collection)

    def delete(self, column: sa.Column[str], values: Collection[str]) -> int:
        """Delete the collection's rows with one of some values; return how many there were."""
        statement = sa.delete(column.table).where(self.mine(column.table))
        return sum(
            self.connection.execute(statement.where(column.in_(some))).rowcount for some in chunks(sorted(values))
        )


def select_at(wanted: sa.CTE, table: sa.Table, *columns: sa.Column[Any]) -> sa.Select[Any]:
    """Select the rows of a table at the keys that `Scope.keys` made."""
    same = sa.and_(*(table.c[key.name] == key for key in wanted.c))
    return sa.select(*(columns or (table,))).join_from(wanted, table, same)
