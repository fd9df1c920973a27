"""A candidate that ranks too slowly is refused; one that is a little slower is not."""

from __future__ import annotations

import pytest

from retrainer.gate.checks.latency import check_latency
from retrainer.gate.measurements import Latency
from tests.measured import comparison, measured

WHOLE = comparison([0.1] * 30)


@pytest.mark.parametrize(
    ("champion", "candidate", "passed"),
    [(1.0, 10.9, True), (1.0, 11.1, False), (10.0, 29.0, True), (10.0, 31.0, False)],
)
def test_three_times_as_long_or_ten_milliseconds(champion: float, candidate: float, passed: bool) -> None:
    finding = check_latency(measured(WHOLE, latency=Latency(champion, candidate)))
    assert finding is not None
    assert finding.passed == passed


def test_what_nobody_measured_is_not_judged() -> None:
    assert check_latency(measured(WHOLE)) is None
