"""A cause is named, or cleared, where the whole interval lies on one side of its bound; else nothing is claimed."""

from __future__ import annotations

import math

import pytest
from scipy.special import ndtr

from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, find, lack


@pytest.mark.parametrize(
    ("low", "high", "bad", "state"),
    [
        (0.1, 0.2, "below", "named"),
        (0.1, 0.2, "above", "cleared"),
        (0.4, 0.6, "below", "cleared"),
        (0.4, 0.6, "above", "named"),
        (0.2, 0.4, "below", "unknown"),
        (0.2, 0.4, "above", "unknown"),
        (-math.inf, math.inf, "above", "unknown"),
    ],
)
def test_the_interval_decides(low: float, high: float, bad: str, state: str) -> None:
    assert BoundedValue((low + high) / 2, low, high, 0.3, "below" if bad == "below" else "above").state == state


def test_what_is_not_known_is_said() -> None:
    measured = BoundedValue(0.3, 0.2, 0.4, 0.3, "above")
    finding = find("drift", "a share", measured, "3 of 10 are new.", "Wait.")
    assert (finding.sentence, finding.next_step) == ("Not enough to tell: 3 of 10 are new.", "Wait.")
    assert lack("drift", "nothing was kept.", "Wait.").sentence == "Not enough: nothing was kept."


def test_a_cleared_cause_needs_no_step_and_an_endless_interval_is_no_number() -> None:
    finding = find("drift", "a share", BoundedValue(0.0, -math.inf, 0.1, 0.3, "above"), "0 of 10 are new.", "Wait.")
    assert (finding.state, finding.next_step, finding.low, finding.high) == ("cleared", "", None, 0.1)


def test_without_a_material_part_of_its_gain_a_planned_experiment_finds_the_rest_half_the_time() -> None:
    planned = 1.959964 + 0.841621
    assert float(ndtr((1 - MATERIAL_LOSS) * planned - 1.959964)) == pytest.approx(0.5, abs=1e-6)
