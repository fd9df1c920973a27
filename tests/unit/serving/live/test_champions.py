"""Who serves where the champion cannot: those before it, never the untrained one if there was another."""

from __future__ import annotations

import pytest

from foundation.registry.champion_moves import ChampionMove
from serving.live.champions import order_of_succession
from tests.conftest import START


@pytest.mark.parametrize(
    ("pointed_at", "order"),
    [
        ("", "0"),
        ("0", "0"),
        ("0a", "0"),
        ("0ab", "a0"),
        ("0abc", "ba0"),
        ("0aba", "b0"),  # b was taken back: better than nothing that was learned
        ("0abac", "ab0"),
        ("0ab0", "ba0"),
        ("0abcac", "ab0"),
        ("ab", "a0"),
    ],
)
def test_the_order_of_succession(pointed_at: str, order: str) -> None:
    moves = [ChampionMove(place, version, "", "", START) for place, version in enumerate(pointed_at)]
    assert "".join(order_of_succession(moves[::-1], "0")) == order
