"""When dead letters are too many, by place, and when no longer."""

from __future__ import annotations

from collector.dead_letters.limit import DeadLetterLimit, DeadLetterWatch, Place

HERE, THERE = Place(0, "default"), Place(0, "other")


def watch(run: int, share: float = 0.5, of: int = 1000) -> DeadLetterWatch:
    return DeadLetterWatch(DeadLetterLimit(run, share, of))


def test_a_run_is_too_many_when_it_is_longer_than_the_limit() -> None:
    watched = watch(run=3)

    changes = [watched.note(HERE, dead=dead) for dead in (True, True, True, True, True, False)]

    assert changes == [False, False, False, True, False, True]


def test_collections_and_partitions_are_counted_apart() -> None:
    watched = watch(run=1)
    for place in (HERE, THERE, HERE, THERE._replace(partition=1)):
        watched.note(place, dead=True)

    assert watched.over() == {HERE}


def test_good_records_elsewhere_end_no_run() -> None:
    watched = watch(run=2)
    for _ in range(3):
        watched.note(HERE, dead=True)
        watched.note(THERE, dead=False)

    assert watched.is_over(HERE)


def test_a_share_is_too_many_once_enough_records_came() -> None:
    watched = watch(run=100, share=0.5, of=10)
    for number in range(9):
        watched.note(HERE, dead=number % 3 > 0)
    early = watched.is_over(HERE)
    watched.note(HERE, dead=False)
    full = watched.is_over(HERE)
    for _ in range(3):
        watched.note(HERE, dead=False)

    assert (early, full, watched.is_over(HERE)) == (False, True, False)


def test_only_the_places_heard_of_last_are_kept() -> None:
    watched = watch(run=0)
    for number in range(1100):
        watched.note(Place(number, "default"), dead=True)

    assert len(watched.over()) == 1000
