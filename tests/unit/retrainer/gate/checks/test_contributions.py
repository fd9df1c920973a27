"""A learned part that does not know what it was taught is named."""

from __future__ import annotations

import pytest

from retrainer.gate.ablation import Contribution
from retrainer.gate.checks.contributions import check_contributions
from tests.measured import comparison, measured

KNOWN = {part: Contribution(0.3, 0.04) for part in ("adapter", "residuals", "memory", "fusion")}
WHOLE = comparison([0.1] * 30)


@pytest.mark.parametrize("part", KNOWN)
def test_the_broken_part_is_named(part: str) -> None:
    finding = check_contributions(measured(WHOLE, contributions=KNOWN | {part: Contribution(0.003, 0.002)}))
    assert finding is not None
    assert not finding.passed
    assert f"learned clicks by {part} (+0.003 ± 0.002)" in finding.problem
    assert finding.value == pytest.approx(1.5)


def test_a_part_that_nobody_could_measure_is_not_proven() -> None:
    finding = check_contributions(measured(WHOLE, contributions={"memory": Contribution(0.0, 0.0)}))
    assert finding is not None
    assert not finding.passed


def test_without_parts_there_is_none_to_break() -> None:
    assert check_contributions(measured(WHOLE)) is None
