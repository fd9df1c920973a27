"""Logging in moves nobody to another arm."""

from __future__ import annotations

from ab_testing.assignment import arm
from serving.visits import Visits


def test_a_session_that_gets_a_user_keeps_its_arm() -> None:
    visits = Visits()
    for number in range(50):
        before = visits.drawn_as("default", "", f"s{number}")
        after = visits.drawn_as("default", f"u{number}", f"s{number}")
        assert arm("salt", after) == arm("salt", before)


def test_the_user_keeps_it_in_later_visits_and_after_logging_out() -> None:
    visits = Visits()
    first = visits.drawn_as("default", "", "s1")
    visits.drawn_as("default", "u1", "s1")

    assert visits.drawn_as("default", "u1", "s2") == visits.drawn_as("default", "u1", "") == first
    assert visits.drawn_as("default", "", "s1") == first


def test_who_logs_in_later_under_the_same_session_has_an_arm_of_their_own() -> None:
    visits = Visits()
    visits.drawn_as("default", "", "shared")
    visits.drawn_as("default", "u1", "shared")

    assert visits.drawn_as("default", "u2", "shared") == "u2"


def test_a_user_who_never_searched_without_a_name_is_drawn_by_it() -> None:
    visits = Visits()

    assert [visits.drawn_as("default", "u1", session) for session in ("s1", "", "s2")] == ["u1"] * 3
    assert visits.drawn_as("default", "", "") == ""


def test_collections_are_apart() -> None:
    visits = Visits()
    visits.drawn_as("default", "", "s1")

    assert visits.drawn_as("other", "u1", "s1") == "u1"


def test_no_more_is_remembered_than_fits() -> None:
    visits = Visits()
    visits.drawn_as("default", "", "first")
    for number in range(50_000):
        visits.drawn_as("default", "", f"s{number}")

    assert visits.drawn_as("default", "u1", "first") == "u1"
