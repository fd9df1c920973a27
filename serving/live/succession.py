"""Which version serves where the champion cannot."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.registry.champion_moves import ChampionMove


def order_of_succession(moves: Sequence[ChampionMove], baseline: str) -> list[str]:
    """Return who serves in the place of the champion, the best first: the champions before it.

    Those come first that nobody ever took back, the last of them first; then those that were taken
    back by a move to an earlier one. The untrained baseline is the last, whatever it was before.

    Args:
        moves: Of the pointer, newest first.
        baseline: Id of the version that needs no artifact.
    """
    kept: list[str] = []
    taken_back: list[str] = []
    for move in reversed(moves):
        if move.version in kept:
            place = kept.index(move.version) + 1
            taken_back += kept[place:]
            del kept[place:]
        else:
            kept.append(move.version)
    order = dict.fromkeys((*reversed(kept), *reversed(taken_back)))
    champion = moves[0].version if moves else ""
    return [*(version for version in order if version not in {champion, baseline}), baseline]
