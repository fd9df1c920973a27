"""What an engineer relies on when an app's release changes from where it counts positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.checks.positions import MIN_SIGHTINGS, Sighting, find_shifted

MANY = 2 * MIN_SIGHTINGS


def sightings(pairs: list[tuple[int, int | None]], source: str = "ubi/shop") -> list[Sighting]:
    return [Sighting(source, f"e{number}", position, rank) for number, (position, rank) in enumerate(pairs)]


def test_positions_that_agree_with_what_was_served_are_sound() -> None:
    assert not find_shifted(sightings([(rank, rank) for rank in range(1, MANY)]))


def test_a_source_that_counts_from_1_and_sends_0_is_found() -> None:
    (found,) = find_shifted(sightings([(1, None), (0, None), (2, None)]))

    assert found.event_id == "e1"


@pytest.mark.parametrize("step", [-1, 1])
def test_positions_one_off_from_what_was_served_are_found(step: int) -> None:
    moved = sightings([(rank + step, rank) for rank in range(2, MANY)])

    assert find_shifted(moved) == moved


def test_a_few_that_disagree_are_lists_that_changed_while_people_looked() -> None:
    agree = [(rank, rank) for rank in range(1, MANY)]

    assert not find_shifted(sightings([*agree, (3, 4), (7, 6), (9, 20)]))
    assert not find_shifted(sightings([(4, 3)] * (MIN_SIGHTINGS - 1)))


def test_after_a_release_only_the_moved_ones_are_named() -> None:
    before, after = [(rank, rank) for rank in range(1, 20)], [(rank, rank - 1) for rank in range(2, 30)]

    found = find_shifted(sightings([*before, *after]))

    assert [one.position for one in found] == [position for position, _ in after]


def test_sources_do_not_answer_for_each_other() -> None:
    sound = sightings([(rank, rank) for rank in range(1, MANY)], "algolia")
    moved = sightings([(rank - 1, rank) for rank in range(2, MANY)], "meilisearch")

    assert {one.source for one in find_shifted([*sound, *moved])} == {"meilisearch"}


@given(st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(1, 50)), max_size=60))
def test_what_is_found_was_sent(pairs: list[tuple[int, int | None]]) -> None:
    sent = sightings(pairs)

    assert set(find_shifted(sent)) <= set(sent)
