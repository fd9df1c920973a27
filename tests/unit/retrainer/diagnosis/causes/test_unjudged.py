"""A gain that rests on results nobody looked at is a belief."""

from __future__ import annotations

import pytest

from retrainer.diagnosis.causes.unjudged import examine
from retrainer.diagnosis.evidence import VersionEvidence
from retrainer.diagnosis.intervals import Interval
from tests.diagnosing import gate


@pytest.mark.parametrize(
    ("part", "state"),
    [
        (Interval(0.04, 0.03, 0.05), "named"),
        (Interval(0.002, -0.001, 0.005), "cleared"),
        (Interval(0.02, 0.0, 0.04), "unknown"),
        (None, "unknown"),
    ],
)
def test_the_part_of_the_gain_decides(part: Interval | None, state: str) -> None:
    assert examine(VersionEvidence(gate=gate(unjudged=part))).state == state
