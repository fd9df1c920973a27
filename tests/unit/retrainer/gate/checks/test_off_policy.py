"""A candidate that interleaved lists speak against is refused before anybody sees it."""

from __future__ import annotations

from dataclasses import replace

from retrainer.gate.checks.off_policy import check_off_policy
from retrainer.gate.off_policy import OffPolicyEstimate
from tests.measured import comparison, measured

WHOLE = comparison([0.1] * 30)
WORSE = OffPolicyEstimate(lists=900, change=-0.05, low=-0.08, high=-0.02, coverage=0.9)


def test_what_people_surely_click_less_is_refused() -> None:
    finding = check_off_policy(measured(WHOLE, off_policy=WORSE))
    assert finding is not None
    assert not finding.passed
    assert "900 interleaved lists with a coverage of 0.90" in finding.tell()
    assert "clicks a search -0.0200, must be above +0.0000" in finding.tell()


def test_what_is_not_proven_passes() -> None:
    finding = check_off_policy(measured(WHOLE, off_policy=replace(WORSE, high=0.01)))
    assert finding is not None
    assert finding.passed


def test_too_little_coverage_says_nothing() -> None:
    assert check_off_policy(measured(WHOLE, off_policy=replace(WORSE, coverage=0.4))) is None
    assert check_off_policy(measured(WHOLE)) is None
