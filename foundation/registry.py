"""Versions, their lineage, the champion pointer, and the store of artifacts they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import fsspec
import sqlalchemy as sa
from fsspec.implementations.local import LocalFileSystem

from foundation.clock import SystemClock
from foundation.contracts import Manifest
from foundation.db import insert_missing, reading, transaction
from foundation.errors import ArtifactDamaged, Conflict, NotFound
from foundation.files import write_whole
from foundation.ids import digest_bytes, new_id, time_of
from foundation.tables import champion_moves, versions

Status = Literal["candidate", "approved", "refused", "champion", "retired"]

_DRAFT = ".draft"
_DRAFT_AGE = timedelta(days=1)
_CHANGING = frozenset(
    {"size", "mtime", "ino", "created", "ETag", "etag", "LastModified", "last_modified", "updated", "md5Hash"}
)
"""What file systems and object stores tell of an object that is another one after it was written again."""


class ArtifactStore:
    """Content-addressed bytes in a directory or any fsspec URL.

    Args:
        url: A path or fsspec URL such as `s3://bucket/prefix`.
    """

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._fs.makedirs(self._root, exist_ok=True)

    def put(self, content: bytes) -> str:
        """Store `content` durably and return its sha256. Storing the same content twice stores it once.

        The bytes are written under a name of their own and moved, so a reader never sees a part, and
        any number may store the same content at once. Damaged bytes are replaced.
        """
        digest = digest_bytes(content)
        if self._holds(digest):
            return digest
        if isinstance(self._fs, LocalFileSystem):
            write_whole(Path(self._path(digest)), content, durable=True)
        else:
            self._write(self._path(digest), content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes stored under `digest`.

        Raises:
            NotFound: Nothing is stored under it.
            ArtifactDamaged: The bytes no longer match it.
        """
        try:
            with self._fs.open(self._path(digest), "rb") as stored:
                content: bytes = stored.read()
        except FileNotFoundError as missing:
            raise NotFound(f"artifact {digest} is not in the store at {self._root}") from missing
        if digest_bytes(content) != digest:
            raise ArtifactDamaged(f"artifact {digest} in {self._root} has other bytes; restore it or roll back")
        return content

    def stamp(self, digest: str) -> str:
        """Return what changes when the bytes stored under `digest` do, without reading them; "" when there are none."""
        self._fs.invalidate_cache(self._root)
        try:
            told = self._fs.info(self._path(digest))
        except FileNotFoundError:
            return ""
        return repr(sorted((name, repr(value)) for name, value in told.items() if name in _CHANGING))

    def _holds(self, digest: str) -> bool:
        try:
            self.get(digest)
        except (NotFound, ArtifactDamaged):
            return False
        return True

    def _write(self, path: str, content: bytes) -> None:
        """Write where there are no locks: an unfinished object is left over once it is a day old."""
        now = SystemClock().now()
        for left in self._fs.glob(f"{self._root}/*{_DRAFT}"):
            if now - time_of(left.removesuffix(_DRAFT).rpartition(".")[2]) > _DRAFT_AGE:
                self._fs.rm_file(left)
        draft = f"{path}.{new_id(now)}{_DRAFT}"
        with self._fs.open(draft, "wb") as out:
            out.write(content)
        self._fs.mv(draft, path)

    def _path(self, digest: str) -> str:
        return f"{self._root}/{digest}"


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version.

    Attributes:
        parent: Id of the version it was trained from, "" for a first one.
        reason: Why it has its status, in words.
        lineage: Data digest, code version, training run, seeds.
        metrics: What the gate measured.
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


@dataclass(frozen=True, slots=True)
class ChampionMove:
    """One move of a collection's champion pointer; the last one is where it points."""

    sequence: int
    version: str
    previous: str
    reason: str
    at: datetime


class Registry:
    """The versions of every collection.

    Reads see committed state. Writes are the retrainer's; each is one transaction.
    """

    def __init__(self, engine: sa.Engine, artifacts: ArtifactStore) -> None:
        self._engine = engine
        self.artifacts = artifacts

    def register(self, version: Version) -> None:
        """Add a version; registering the same version again changes nothing."""
        with transaction(self._engine) as connection:
            self.register_in(connection, version)

    def register_in(self, connection: sa.Connection, version: Version) -> None:
        """Do what `register` does in a transaction of the caller's."""
        insert_missing(connection, versions, [_to_row(version)])

    def set_status(self, collection: str, version: str, status: Status, reason: str) -> None:
        """Change the status of a version and say why."""
        with transaction(self._engine) as connection:
            _set_status(connection, collection, version, status, reason)

    def get(self, collection: str, version: str) -> Version:
        """Return one version.

        Raises:
            NotFound: The collection has no such version.
        """
        where = (versions.c.collection == collection) & (versions.c.id == version)
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(versions).where(where)).one_or_none()
        if row is None:
            raise NotFound(f"collection {collection!r} has no version {version!r}")
        return _from_row(row)

    def moves(self, collection: str, limit: int = 100) -> list[ChampionMove]:
        """Return the moves of the champion pointer, newest first."""
        with reading(self._engine) as connection:
            return _moves(connection, collection, limit)

    def champion(self, collection: str) -> str:
        """Return the id of the version that should serve, "" before the first promotion."""
        moves = self.moves(collection, 1)
        return moves[0].version if moves else ""

    def champions(self) -> dict[str, str]:
        """Return the champion of every collection that has one."""
        latest = (
            sa.select(champion_moves.c.collection, sa.func.max(champion_moves.c.sequence).label("sequence"))
            .group_by(champion_moves.c.collection)
            .subquery()
        )
        statement = sa.select(champion_moves.c.collection, champion_moves.c.version).join(
            latest,
            (champion_moves.c.collection == latest.c.collection) & (champion_moves.c.sequence == latest.c.sequence),
        )
        with reading(self._engine) as connection:
            return {row.collection: row.version for row in connection.execute(statement)}

    def move_champion(self, collection: str, version: str, reason: str, at: datetime) -> ChampionMove:
        """Point the collection at `version`; the one before becomes retired.

        Raises:
            NotFound: The collection has no such version.
            Conflict: It is the champion already.
        """
        self.get(collection, version)
        with transaction(self._engine) as connection:
            last = _moves(connection, collection, 1)
            previous, sequence = (last[0].version, last[0].sequence) if last else ("", 0)
            if previous == version:
                raise Conflict(f"version {version} is the champion of {collection!r} already")
            move = ChampionMove(sequence + 1, version, previous, reason, at)
            connection.execute(
                sa.insert(champion_moves).values(
                    collection=collection,
                    sequence=move.sequence,
                    version=version,
                    previous=previous,
                    reason=reason,
                    at=at,
                )
            )
            if previous:
                _set_status(connection, collection, previous, "retired", f"replaced by {version}: {reason}")
            _set_status(connection, collection, version, "champion", reason)
        return move

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


def _moves(connection: sa.Connection, collection: str, limit: int) -> list[ChampionMove]:
    statement = (
        sa.select(champion_moves)
        .where(champion_moves.c.collection == collection)
        .order_by(champion_moves.c.sequence.desc())
        .limit(limit)
    )
    return [
        ChampionMove(row.sequence, row.version, row.previous, row.reason, row.at)
        for row in connection.execute(statement)
    ]


def _set_status(connection: sa.Connection, collection: str, version: str, status: Status, reason: str) -> None:
    connection.execute(
        sa.update(versions)
        .where((versions.c.collection == collection) & (versions.c.id == version))
        .values(status=status, reason=reason)
    )


def _to_row(version: Version) -> dict[str, Any]:
    return {
        "collection": version.collection,
        "id": version.id,
        "parent": version.parent,
        "status": version.status,
        "reason": version.reason,
        "manifest": version.manifest.to_json(),
        "lineage": version.lineage,
        "metrics": version.metrics,
        "created_at": version.created_at,
    }


def _from_row(row: sa.Row[Any]) -> Version:
    return Version(
        collection=row.collection,
        id=row.id,
        parent=row.parent,
        status=row.status,
        reason=row.reason,
        manifest=Manifest.from_json(row.manifest),
        lineage=row.lineage,
        metrics=row.metrics,
        created_at=row.created_at,
    )
