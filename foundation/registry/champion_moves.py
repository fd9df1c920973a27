"""The moves of a collection's champion pointer, and where a rollback leads. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from foundation.errors import Conflict
from foundation.registry.status_history import give_status
from foundation.registry.tables import champion_moves

Kind = Literal["promotion", "rollback"]


@dataclass(frozen=True, slots=True)
class ChampionMove:
    """One move of a collection's champion pointer; the last one is where it points.

    Attributes:
        actor: Who moved it; see `foundation.access.actors`.
    """

    sequence: int
    version: str
    previous: str
    reason: str
    at: datetime
    kind: Kind = "promotion"
    actor: str = ""

    def then(self, version: str, reason: str, at: datetime, kind: Kind, actor: str) -> ChampionMove:
        """Return the move to `version` that follows this one."""
        return ChampionMove(self.sequence + 1, version, self.version, reason, at, kind, actor)


NO_MOVE = ChampionMove(0, "", "", "", datetime.min.replace(tzinfo=UTC))
"""Stands before the first move."""


def read_moves(connection: sa.Connection, collection: str, limit: int | None) -> list[ChampionMove]:
    """Return the moves of a collection's pointer, newest first; all of them without a limit."""
    statement = (
        sa.select(*(champion_moves.c[name] for name in ChampionMove.__slots__))
        .where(champion_moves.c.collection == collection)
        .order_by(champion_moves.c.sequence.desc())
        .limit(limit)
    )
    return [ChampionMove(**row._mapping) for row in connection.execute(statement)]


def last_move(connection: sa.Connection, collection: str) -> ChampionMove:
    """Return the move that made the present champion, `NO_MOVE` before the first one."""
    return next(iter(read_moves(connection, collection, 1)), NO_MOVE)


def record_move(connection: sa.Connection, collection: str, move: ChampionMove) -> None:
    """Add a move, and give both versions the status that follows from it."""
    connection.execute(sa.insert(champion_moves).values(collection=collection, **asdict(move)))
    if move.previous:
        why = f"replaced by {move.version}: {move.reason}"
        give_status(connection, collection, move.previous, "retired", why, move.at, move.actor)
    give_status(connection, collection, move.version, "champion", move.reason, move.at, move.actor)


def check_champion(collection: str, champion: str, expected: str) -> None:
    """Raise Conflict where the champion is another one than expected; "" expects any."""
    if expected and champion != expected:
        raise Conflict(
            f"the champion of {collection!r} is {champion or 'none'} by now, not {expected}; nothing was done"
        )


def find_way_back(collection: str, moves: Iterable[ChampionMove], expected: str) -> str:
    """Return the version that a rollback makes the champion: the one that the present one replaced.

    A rollback undoes the promotion of the present champion, so several in a row lead ever further back.

    Args:
        moves: All moves so far, the oldest first.
        expected: The champion that the caller expects, "" for any. A caller who does not name it undoes one promotion
            and no rollback: if two people press the button at once, the second is refused.

    Raises:
        Conflict: The champion is another one, there is none to go back to, or the last move was a rollback already.
    """
    line: list[str] = []
    last = NO_MOVE
    for move in moves:
        if move.kind == "rollback" and line[-2:-1] == [move.version]:
            line.pop()
        else:
            line.append(move.version)
        last = move
    check_champion(collection, last.version, expected)
    if last.kind == "rollback" and not expected:
        raise Conflict(
            f"{collection!r} was rolled back already, from {last.previous} to {last.version} at {last.at.isoformat()}; "
            f"to go back further, name the champion: from {last.version}"
        )
    if len(line) < 2:
        raise Conflict(f"collection {collection!r} has no earlier version to go back to")
    return line[-2]
