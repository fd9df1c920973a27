"""Versions, their lineage and the champion pointer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.access.actors import GATE, LOCAL
from foundation.contracts import Manifest
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict, NotFound
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.champion_moves import (
    NO_MOVE,
    ChampionMove,
    check_champion,
    find_way_back,
    last_move,
    read_moves,
    record_move,
)
from foundation.registry.names import default_name, find_row, rename
from foundation.registry.status_history import Status, StatusChange, give_status, read_history, take_turn
from foundation.registry.tables import champion_moves, versions


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version.

    Attributes:
        parent: Id of the version it was trained from, "" for a first one.
        reason: Why it has its status, in words.
        lineage: Data digest, code version, training run, seeds.
        metrics: What the gate measured.
        name: What people call it, unique in the collection; "" has the registry find one that says what it is.
    """

    collection: str
    id: str
    parent: str
    status: Status
    reason: str
    manifest: Manifest
    lineage: dict[str, Any]
    metrics: dict[str, Any]
    created_at: datetime
    name: str = ""


Also = Callable[[sa.Connection], object]
"""Done in the transaction of another thing."""


def _nothing_else(_connection: sa.Connection) -> None:
    pass


class Registry:
    """The versions of every collection.

    Reads see committed state. Only the retrainer writes; each write is one transaction.
    """

    def __init__(self, engine: sa.Engine, artifacts: ArtifactStore) -> None:
        self._engine = engine
        self.artifacts = artifacts

    def register(self, version: Version, actor: str = GATE) -> None:
        """Add a version; registering the same version again changes nothing."""
        with transaction(self._engine) as connection:
            self.register_in(connection, version, actor)

    def register_in(self, connection: sa.Connection, version: Version, actor: str = GATE) -> None:
        """Do what `register` does in a transaction of the caller's."""
        take_turn(connection, version.collection)
        known = (versions.c.collection == version.collection) & (versions.c.id == version.id)
        if connection.execute(sa.select(versions.c.id).where(known)).first():
            return
        stem, day = ("trained", version.created_at) if version.parent or version.lineage else ("untuned", None)
        name = version.name or default_name(connection, versions, version.collection, stem, day)
        connection.execute(sa.insert(versions).values(_to_row(version) | {"name": name}))
        status, reason, at = version.status, version.reason, version.created_at
        give_status(connection, version.collection, version.id, status, reason, at, actor)

    def install(self, first: Version, reason: str, actor: str = LOCAL) -> str:
        """Return the champion of a collection; where there is none, register `first` and make it that."""
        with transaction(self._engine) as connection:
            take_turn(connection, first.collection)
            if champion := last_move(connection, first.collection).version:
                return champion
            self.register_in(connection, first, actor)
            move = NO_MOVE.then(first.id, reason, first.created_at, "promotion", actor)
            record_move(connection, first.collection, move)
        return first.id

    def set_status(
        self, collection: str, version: str, status: Status, reason: str, at: datetime, actor: str = LOCAL
    ) -> None:
        """Change the status of a version, but not the champion's; the ones before stay in its history."""
        with transaction(self._engine) as connection:
            take_turn(connection, collection)
            if last_move(connection, collection).version != version:
                give_status(connection, collection, version, status, reason, at, actor)

    def history(self, collection: str, version: str) -> list[StatusChange]:
        """Return the statuses that a version had, the first one first."""
        with reading(self._engine) as connection:
            return read_history(connection, collection, version)

    def rename(self, collection: str, version: str, name: str, *, at: datetime, actor: str = LOCAL) -> Version:
        """Give a version another name, and return it.

        Args:
            version: Its id or present name.

        Raises:
            NotFound: The collection has no such version.
            Conflict: Another version is called so.
        """
        found = self.get(collection, version).id
        with transaction(self._engine) as connection:
            take_turn(connection, collection)
            rename(connection, versions, collection, found, name, action="version named", at=at, actor=actor)
        return self.get(collection, found)

    def names(self, collection: str) -> dict[str, str]:
        """Return the names of a collection's versions by id."""
        statement = sa.select(versions.c.id, versions.c.name).where(versions.c.collection == collection)
        with reading(self._engine) as connection:
            return {row.id: row.name for row in connection.execute(statement)}

    def get(self, collection: str, version: str) -> Version:
        """Return one version.

        Args:
            version: Its id or name.

        Raises:
            NotFound: The collection has no such version.
        """
        with reading(self._engine) as connection:
            found = find_row(connection, versions, collection, version)
        if found is None:
            raise NotFound(f"collection {collection!r} has no version {version!r}")
        return _from_row(found)

    def moves(self, collection: str, limit: int | None = 100) -> list[ChampionMove]:
        """Return the moves of the champion pointer, newest first; all of them with None."""
        with reading(self._engine) as connection:
            return read_moves(connection, collection, limit)

    def champion(self, collection: str) -> str:
        """Return the id of the version that should serve, "" before the first promotion."""
        with reading(self._engine) as connection:
            return last_move(connection, collection).version

    def champions(self) -> dict[str, str]:
        """Return the champion of every collection that has one."""
        of = champion_moves.c
        last = sa.select(of.collection, sa.func.max(of.sequence)).group_by(of.collection)
        statement = sa.select(of.collection, of.version).where(sa.tuple_(of.collection, of.sequence).in_(last))
        with reading(self._engine) as connection:
            return {row.collection: row.version for row in connection.execute(statement)}

    def move_champion(
        self,
        collection: str,
        version: str,
        reason: str,
        at: datetime,
        *,
        actor: str = LOCAL,
        expected: str = "",
        also: Also = _nothing_else,
    ) -> ChampionMove:
        """Point the collection at `version`, an id or a name; the champion before is retired.

        Args:
            expected: The champion that the caller expects, an id or a name; "" for any.
            also: What happens with the move or not at all.

        Raises:
            NotFound: The collection has no such version.
            Conflict: It is the champion already, or the champion is another one than expected.
        """
        version, expected = self.get(collection, version).id, self._id_of(collection, expected)
        with transaction(self._engine) as connection:
            take_turn(connection, collection)
            last = last_move(connection, collection)
            check_champion(collection, last.version, expected)
            if last.version == version:
                raise Conflict(f"version {version} is the champion of {collection!r} already")
            move = last.then(version, reason, at, "promotion", actor)
            record_move(connection, collection, move)
            also(connection)
        return move

    def roll_back(
        self,
        collection: str,
        reason: str,
        at: datetime,
        *,
        actor: str = LOCAL,
        expected: str = "",
        to: str = "",
        also: Also = _nothing_else,
    ) -> ChampionMove:
        """Point the collection back at the version that the champion replaced; see `find_way_back`.

        Args:
            expected: The champion that the caller expects, an id or a name; "" for any.
            to: The version that the caller expects this to lead to; "" for any.
            also: What happens with the move or not at all.

        Raises:
            Conflict: There is no such way back by now; nothing was done.
        """
        expected, to = self._id_of(collection, expected), self._id_of(collection, to)
        with transaction(self._engine) as connection:
            take_turn(connection, collection)
            moves = read_moves(connection, collection, None)
            version = find_way_back(collection, reversed(moves), expected)
            if to not in {"", version}:
                raise Conflict(f"a rollback of {collection!r} leads to {version}, not to {to}; nothing was done")
            move = moves[0].then(version, reason, at, "rollback", actor)
            record_move(connection, collection, move)
            also(connection)
        return move

    def _id_of(self, collection: str, wanted: str) -> str:
        return self.get(collection, wanted).id if wanted else ""

    def list(self, collection: str, limit: int = 100) -> list[Version]:
        """Return a collection's versions, newest first."""
        statement = (
            sa.select(versions)
            .where(versions.c.collection == collection)
            .order_by(versions.c.created_at.desc(), versions.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_from_row(row) for row in connection.execute(statement)]


def _to_row(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.__slots__} | {"manifest": version.manifest.to_json()}


def _from_row(row: sa.Row[Any]) -> Version:
    return Version(**{**row._mapping, "manifest": Manifest.from_json(row.manifest)})
