"""Where a rollback leads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from foundation.errors import Conflict
from foundation.registry.champion_moves import NO_MOVE, ChampionMove, Kind, find_way_back

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def moves(*made: str) -> list[ChampionMove]:
    """Return moves; those that begin with < are rollbacks."""
    found: list[ChampionMove] = []
    for one in made:
        kind: Kind = "rollback" if one.startswith("<") else "promotion"
        found.append((found or [NO_MOVE])[-1].then(one.removeprefix("<"), "", NOW, kind, "local"))
    return found


@pytest.mark.parametrize(
    ("made", "back"),
    [
        (("a", "b"), "a"),
        (("a", "b", "c"), "b"),
        (("a", "b", "c", "<b"), "a"),
        (("a", "b", "<a", "c"), "a"),
        (("a", "b", "a"), "b"),
        (("a", "b", "c", "<b", "c"), "b"),
        (("a", "b", "a", "c", "<a"), "b"),
        (("a", "b", "a", "c", "<a", "<b"), "a"),
    ],
)
def test_a_rollback_undoes_the_promotion_of_the_champion(made: tuple[str, ...], back: str) -> None:
    done = moves(*made)
    assert find_way_back("default", done, done[-1].version) == back


@pytest.mark.parametrize("made", [(), ("a",), ("a", "b", "<a")])
def test_there_is_nothing_before_the_first_version(made: tuple[str, ...]) -> None:
    done = moves(*made)
    with pytest.raises(Conflict, match="no earlier version"):
        find_way_back("default", done, done[-1].version if done else "")


def test_another_champion_than_the_one_named_is_told() -> None:
    with pytest.raises(Conflict, match="is b by now, not c; nothing was done"):
        find_way_back("default", moves("a", "b", "c", "<b"), "c")


def test_who_names_no_champion_undoes_no_rollback() -> None:
    assert find_way_back("default", moves("a", "b", "c"), "") == "b"
    with pytest.raises(Conflict, match="rolled back already, from c to b"):
        find_way_back("default", moves("a", "b", "c", "<b"), "")
