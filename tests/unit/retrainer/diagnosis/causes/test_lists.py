"""Lists that are the same for users gain nothing."""

from __future__ import annotations

from retrainer.diagnosis.causes.lists import examine
from retrainer.diagnosis.evidence import VersionEvidence
from tests.diagnosing import gate, shown


def seen(differing: int, **of_gate: float) -> VersionEvidence:
    """Return a thousand searches of which so many percent show other lists."""
    lists = [shown(number, first_difference=int(number * 37 % 100 < differing)) for number in range(1000)]
    return VersionEvidence(gate=gate(**of_gate), interleaved=lists)


def test_few_lists_that_differ_are_named() -> None:
    found = examine(seen(5))
    assert (found.state, found.value) == ("named", 0.05)


def test_as_many_as_among_the_judging_queries_are_cleared() -> None:
    assert examine(seen(90)).state == "cleared"


def test_where_the_judging_queries_hardly_differed_either_that_is_no_news() -> None:
    assert examine(seen(30, differs=0.3)).state == "cleared"


def test_a_few_judging_queries_say_too_little_to_blame() -> None:
    assert examine(seen(55, judged=10)).state == "cleared"


def test_without_interleaved_lists_it_says_so() -> None:
    found = examine(VersionEvidence(gate=gate()))
    assert (found.state, found.value) == ("unknown", None)
