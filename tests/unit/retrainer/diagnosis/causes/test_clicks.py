"""A gain where nobody clicks is seen by nobody."""

from __future__ import annotations

import pytest

from retrainer.diagnosis.causes.clicks import examine
from retrainer.diagnosis.evidence import VersionEvidence
from tests.diagnosing import shown

DEEP = ("", "", "", "control", "treatment", "control")


def seen(deep_percent: int) -> VersionEvidence:
    """Return searches of which so many percent click below the common first three results."""
    clicked = [4 if number * 37 % 100 < deep_percent else 1 for number in range(1000)]
    return VersionEvidence(interleaved=[shown(n, teams=DEEP, clicked=(rank,)) for n, rank in enumerate(clicked)])


def test_clicks_above_the_first_difference_are_named() -> None:
    found = examine(seen(8))
    assert (found.state, found.value) == ("named", 0.08)


def test_clicks_as_ndcg_takes_them_for_granted_are_cleared() -> None:
    discounts = [1.0, 0.6309, 0.5, 0.4307, 0.3869, 0.3562]
    found = examine(seen(40))
    assert found.state == "cleared"
    assert found.bound == pytest.approx(0.7 * sum(discounts[3:]) / sum(discounts), abs=1e-3)


def test_searches_without_a_click_say_nothing() -> None:
    lists = [shown(number, clicked=()) for number in range(1000)]
    assert examine(VersionEvidence(interleaved=lists)).state == "unknown"
    assert examine(VersionEvidence()).state == "unknown"
