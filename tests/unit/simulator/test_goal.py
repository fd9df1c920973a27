import pytest

from foundation.errors import ClickloopError, InvalidRequest, Overloaded
from simulator.goal import Goal
from simulator.tally import Tally


def test_so_many_searches_are_handed_out() -> None:
    goal = Goal(None, 3, first=10)

    assert [goal.take(Tally) for _ in range(5)] == [10, 11, 12, None, None]
    assert goal.next_number == 13


def test_clicks_end_it() -> None:
    goal = Goal(5, None, first=0)

    assert goal.take(lambda: Tally(clicks=4)) == 0
    assert goal.take(lambda: Tally(clicks=5)) is None


def test_a_stopped_goal_hands_out_nothing() -> None:
    goal = Goal(5, None, first=0)
    goal.stop()

    assert goal.take(Tally) is None


def test_a_service_without_clicks_does_not_hold_it_forever() -> None:
    goal = Goal(1, None, first=0)
    for _ in range(100):
        goal.take(Tally)

    with pytest.raises(ClickloopError, match="are the documents loaded"):
        goal.take(Tally)


def test_twenty_failures_in_a_row_end_it_but_not_scattered_ones() -> None:
    goal = Goal(5, None, first=0)
    for _ in range(3):
        for _ in range(19):
            goal.note(failed=True)
        goal.note(failed=False)
    for _ in range(19):
        goal.note(failed=True)

    with pytest.raises(Overloaded, match="the last 20 visits all failed"):
        goal.note(failed=True)


@pytest.mark.parametrize(("clicks", "searches"), [(None, None), (1, 1), (0, None), (None, -1)])
def test_a_goal_must_be_one_thing(clicks: int | None, searches: int | None) -> None:
    with pytest.raises(InvalidRequest, match="one of them"):
        Goal(clicks, searches, first=0)
