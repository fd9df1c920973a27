"""Moves the champion pointer, watches the replicas follow, and moves it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from foundation.access.actors import GATE, LOCAL
from foundation.clock import Clock
from foundation.contracts import Manifest
from foundation.registry.champion_moves import ChampionMove
from foundation.registry.registry import Registry, Version
from serving.api import Replica, living_replicas

Moved = Callable[[str, str], None]
EndExperiments = Callable[[sa.Connection, str, str, str], object]


class HotSwap:
    """Promotes and rolls back versions. Serving replicas follow within their refresh time.

    Args:
        silent_after: A replica that has said nothing for so long counts as dead. One that still serves another
            version so long after a move counts as one that does not follow.
        moved: Called with collection and version after each move, for a replica in this process. Must not block.
        end_experiments: Called with collection, reason and actor in the transaction of each move: what runs compares
            with a champion that serves no longer.
    """

    def __init__(
        self,
        engine: sa.Engine,
        registry: Registry,
        clock: Clock,
        silent_after: timedelta = timedelta(seconds=30),
        moved: Moved = lambda _collection, _version: None,
        end_experiments: EndExperiments = lambda _connection, _collection, _reason, _actor: None,
    ) -> None:
        self._end_experiments = end_experiments
        self._moved = moved
        self._engine = engine
        self._registry = registry
        self._clock = clock
        self._silent_after = silent_after

    def install(self, collection: str, baseline: Manifest, actor: str = LOCAL) -> str:
        """Return the champion; the first time, register the untuned baseline and make it that, all at once."""
        champion = self._registry.champion(collection)
        if champion:
            return champion
        first = Version(
            collection=collection,
            id=baseline.id,
            parent="",
            status="approved",
            reason="the untuned hybrid that serves before anything is learned",
            manifest=baseline,
            lineage={},
            metrics={},
            created_at=self._clock.now(),
        )
        champion = self._registry.install(first, "first version", actor)
        self._moved(collection, champion)
        return champion

    def promote(
        self, collection: str, version: str, reason: str, actor: str = LOCAL, *, expected: str = ""
    ) -> ChampionMove:
        """Point the collection at a version, as `Registry.move_champion`, and end its experiments.

        Nothing waits for the replicas.
        """
        also = self._ending(collection, f"the champion was replaced by {version}: {reason}", actor)
        move = self._registry.move_champion(
            collection, version, reason, self._clock.now(), actor=actor, expected=expected, also=also
        )
        self._moved(collection, move.version)
        return move

    def rollback(
        self, collection: str, reason: str, actor: str = LOCAL, *, expected: str = "", to: str = ""
    ) -> ChampionMove:
        """Point the collection back at the version before, as `Registry.roll_back`, and end its experiments."""
        also = self._ending(collection, f"the champion was rolled back: {reason}", actor)
        move = self._registry.roll_back(
            collection, reason, self._clock.now(), actor=actor, expected=expected, to=to, also=also
        )
        self._moved(collection, move.version)
        return move

    def _ending(self, collection: str, reason: str, actor: str) -> Callable[[sa.Connection], object]:
        return lambda connection: self._end_experiments(connection, collection, reason, actor)

    def refuse(self, collection: str, version: str, reason: str, actor: str = GATE) -> None:
        """Give a version the status "refused", and say why; not the champion, whoever made it that."""
        self._registry.set_status(collection, version, "refused", reason, self._clock.now(), actor)

    def replicas(self, collection: str) -> list[Replica]:
        """Return what the living replicas say that they serve."""
        return living_replicas(self._engine, collection, self._clock.now() - self._silent_after)

    def behind(self, collection: str) -> list[Replica] | None:
        """Return the replicas that do not serve the champion; None while they may still follow.

        They may as long as a replica may be silent, counted from the move of the pointer.
        """
        moves = self._registry.moves(collection, 1)
        late = [replica for replica in self.replicas(collection) if moves and replica.version != moves[0].version]
        if all(replica.problem for replica in late) or self._clock.now() >= moves[0].at + self._silent_after:
            return late
        return None
