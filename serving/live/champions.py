"""Decides which version of each collection serves: the champion, or the best one that can be loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from foundation.registry.champion_moves import ChampionMove
from foundation.registry.registry import Registry
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import OFF_CHAMPION, SWAPS
from serving.live.collection_state import CollectionState
from serving.live.versions import Versions

_KEPT_VERSIONS = 4
_MOVES = 1000
_log = get_log("loader")


class Champions:
    """Points each collection to a version. One thread follows; any may `move`.

    Args:
        changed: Called when another version serves, or when the reason against the wanted one changes.

    Attributes:
        moves: How often this process moved the pointer itself.
    """

    def __init__(self, registry: Registry, versions: Versions, changed: Callable[[], None]) -> None:
        self._registry = registry
        self._versions = versions
        self._tell_change = changed
        self._lock = threading.Lock()
        self.moves = 0

    def move(self, name: str, served: CollectionState | None, version: str) -> None:
        """Swap to a version at once if it is loaded; else `follow` loads it in its time. Never blocks."""
        with self._lock:
            self.moves += 1
            if served is not None and version in served.rankers:
                self._want(served, version)
                self._point(name, served, version)

    def follow(self, name: str, served: CollectionState, wanted: str, moves: int) -> None:
        """Serve `wanted`, which the registry named when this process had made `moves` moves."""
        with self._lock:
            if moves != self.moves:
                return  # the pointer moved meanwhile: what was read is old
            self._want(served, wanted)
        if wanted == served.champion and not served.problem:
            return
        best = next((one for one in self._candidates(name, served) if self._versions.hold(name, served, one)), "")
        with self._lock:
            if moves == self.moves:
                self._point(name, served, best or served.champion, _explain(served, best))

    def forget_extra(self, served: CollectionState, tested: set[str]) -> None:
        """Drop loaded versions, beyond a few, that neither serve nor are wanted nor tested."""
        needed = {served.champion, served.wanted} | tested
        extra = [version for version in served.rankers if version not in needed]
        for version in extra[: max(0, len(served.rankers) - _KEPT_VERSIONS)]:
            served.drop(version)
        served.failures.keep(needed | set(served.succession or ()))

    def _want(self, served: CollectionState, version: str) -> None:
        """Note which version should serve. A new one is tried at once, even if it failed before."""
        if version != served.wanted:
            served.wanted, served.succession = version, None
            served.failures.forget(version)

    def _candidates(self, name: str, served: CollectionState) -> Iterator[str]:
        """Yield who may serve, the best first."""
        yield served.wanted
        if served.succession is None:
            served.succession = order_of_succession(self._registry.moves(name, _MOVES), self._versions.baseline.id)
        yield from served.succession

    def _point(self, name: str, served: CollectionState, version: str, problem: str = "") -> None:
        """Swap one reference, and log and report it."""
        swapped = version != served.champion
        changed = swapped or problem != served.problem
        served.point(version)
        served.problem = problem
        OFF_CHAMPION.labels(name).set(version != served.wanted)
        if swapped:
            SWAPS.labels(name, "swapped").inc()
            _log.info("swapped", collection=name, version=version)
        if changed:
            self._tell_change()


def order_of_succession(moves: Sequence[ChampionMove], baseline: str) -> list[str]:
    """Return who serves where the champion cannot, the best first: the champions before it.

    First come those that nobody took back, newest first; then those that a move to an earlier one took back.
    The untrained baseline is the last.

    Args:
        moves: Of the pointer, newest first.
        baseline: Id of the version that needs no artifact.
    """
    kept: list[str] = []
    taken_back: list[str] = []
    for move in reversed(moves):
        if move.version in kept:
            after = kept.index(move.version) + 1
            taken_back += kept[after:]
            del kept[after:]
        else:
            kept.append(move.version)
    order = dict.fromkeys((*reversed(kept), *reversed(taken_back)))
    champion = moves[0].version if moves else ""
    return [*(version for version in order if version not in {champion, baseline}), baseline]


def _explain(served: CollectionState, best: str) -> str:
    """Return why the champion does not serve, "" when it does."""
    if best == served.wanted:
        return ""
    instead = f"version {best or served.champion} serves instead" if best or served.champion else "nothing serves"
    return f"version {served.wanted} does not load, {instead}: {served.failures.problem(served.wanted)}"
