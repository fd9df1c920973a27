"""API keys: what each may do in its collection. Only their digests are kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from foundation.access.actions import record_action
from foundation.access.actors import LOCAL
from foundation.access.tables import api_keys
from foundation.clock import Clock, monotonic_s
from foundation.contracts import COLLECTION_NAME
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict, InvalidRequest, NotFound
from foundation.ids import digest_bytes

Role = Literal["app", "admin"]
PREFIX = "clk_"
"""What every key begins with, so that scanners for leaked secrets can know one."""

_TOKEN_BYTES = 24
_FRESH_S = 2.0
_MAX_NAME = 160


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key.

    Attributes:
        collection: The one collection that it opens.
        role: "app" searches and sends events; "admin" may do everything.
        made_by: Who made it; see `foundation.access.actors`.
    """

    name: str
    collection: str
    role: Role
    created_at: datetime
    made_by: str = ""


_OF_KEY = tuple(api_keys.c[name] for name in Key.__slots__)


class Keys:
    """The keys of an installation. Safe to use from many threads.

    Lookups take no SQL: `refresh` replaces the whole table at once.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, Key] = {}
        self._fresh_until_s = float("-inf")

    @property
    def stale(self) -> bool:
        """Whether the keys were read more than two seconds ago: what was removed since still opens."""
        return monotonic_s() >= self._fresh_until_s

    def refresh(self) -> None:
        """Read the keys again; one query."""
        began_s = monotonic_s()
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(api_keys.c.digest, *_OF_KEY)).all()
        self._known = {digest: Key(*known) for digest, *known in rows}
        self._fresh_until_s = began_s + _FRESH_S

    def find(self, token: str) -> Key | None:
        """Return the key that a token is, None when it is none."""
        return self._known.get(_digest(token))

    def add(self, name: str, collection: str, role: Role, actor: str = LOCAL) -> str:
        """Make a key and return its token, which nothing can show again.

        Raises:
            InvalidRequest: The name is empty or too long, or no collection can have such a name.
            Conflict: The collection has a key of this name.
        """
        if not name.strip() or len(name) > _MAX_NAME:
            raise InvalidRequest(f"a key has a name of 1 to {_MAX_NAME} characters")
        if not COLLECTION_NAME.fullmatch(collection):
            raise InvalidRequest(
                f"{collection!r} is no collection's name: write 1 to 64 of a-z, 0-9, _ and -, a letter or digit first"
            )
        with transaction(self._engine) as connection:
            return self._insert(connection, name, collection, role, actor)

    def add_first(self, name: str, collection: str, actor: str = LOCAL) -> str | None:
        """Make an admin key where there is no key at all, and return its token; of several at once one makes it."""
        try:
            with transaction(self._engine) as connection:
                if connection.execute(sa.select(api_keys.c.name).limit(1)).first():
                    return None
                return self._insert(connection, name, collection, "admin", actor)
        except Conflict:
            return None  # another process was first

    def _insert(self, connection: sa.Connection, name: str, collection: str, role: Role, actor: str) -> str:
        token = PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        row = {"digest": _digest(token), "name": name, "collection": collection, "role": role}
        try:
            connection.execute(sa.insert(api_keys).values(row | {"created_at": now, "made_by": actor}))
        except sa.exc.IntegrityError as problem:
            raise Conflict(f"collection {collection!r} has a key named {name!r}; remove it first") from problem
        detail = {"role": role}
        record_action(connection, collection, action="key added", subject=name, at=now, actor=actor, detail=detail)
        return token

    def list(self) -> Sequence[Key]:
        """Return every key, by collection and name."""
        statement = sa.select(*_OF_KEY).order_by(api_keys.c.collection, api_keys.c.name)
        with reading(self._engine) as connection:
            return [Key(*row) for row in connection.execute(statement)]

    def remove(self, name: str, collection: str, actor: str = LOCAL) -> None:
        """Remove a key; every process refuses it within two seconds.

        Raises:
            NotFound: The collection has no key of this name.
        """
        with transaction(self._engine) as connection:
            mine = (api_keys.c.name == name) & (api_keys.c.collection == collection)
            if connection.execute(sa.delete(api_keys).where(mine)).rowcount == 0:
                raise NotFound(f"collection {collection!r} has no key named {name!r}")
            now = self._clock.now()
            record_action(connection, collection, action="key removed", subject=name, at=now, actor=actor)


def _digest(token: str) -> str:
    return digest_bytes(token.encode(errors="surrogatepass"))
