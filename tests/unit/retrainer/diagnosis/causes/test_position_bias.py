"""The same result counts alike wherever chance put it, or the labels hold its rank."""

from __future__ import annotations

from foundation.contracts import CURVE_RANKS, ClickCurve
from retrainer.diagnosis.causes.position_bias import examine
from retrainer.diagnosis.evidence import VersionEvidence
from tests.diagnosing import drafted


def curve(steepness: float, relevant: float = 0.7, other: float = 0.1) -> ClickCurve:
    ranks = [rank**-steepness for rank in range(1, CURVE_RANKS + 1)]
    return ClickCurve(tuple(relevant * one for one in ranks), tuple(other * one for one in ranks))


def test_a_curve_that_is_too_gentle_is_named() -> None:
    found = examine(VersionEvidence(interleaved=drafted(1.2), curve=curve(0.0)))
    assert (found.state, "less where it stood" in found.sentence) == ("named", True)


def test_one_that_is_too_steep_is_named_too() -> None:
    found = examine(VersionEvidence(interleaved=drafted(0.0), curve=curve(1.5)))
    assert (found.state, "more where it stood" in found.sentence) == ("named", True)


def test_the_right_one_is_cleared() -> None:
    assert examine(VersionEvidence(interleaved=drafted(0.5), curve=curve(0.5))).state == "cleared"


def test_lists_that_leave_nothing_to_chance_tell_nothing() -> None:
    lists = [one._replace(teams=("",) * 6) for one in drafted(1.0, count=500)]
    assert examine(VersionEvidence(interleaved=lists, curve=curve(1.0))).state == "unknown"
    assert examine(VersionEvidence()).state == "unknown"
