"""An experiment was too small where it finds the expected gain more rarely than is usual."""

from __future__ import annotations

import pytest

from retrainer.diagnosis.causes.power import chance_to_find, examine
from retrainer.diagnosis.evidence import VersionEvidence
from tests.diagnosing import effect, gate


def test_a_small_experiment_is_named_and_told_how_large_it_must_be() -> None:
    small = effect(standard_error=0.03, searches=320)
    found = examine(VersionEvidence(gate=gate(), effect=small))
    assert found.state == "named"
    needed = 320 * small.trial.growth_needed(0.03, small.units, 0.05)
    assert f"{needed:,.0f}"[:2] in found.next_step
    assert small.trial.chance_by(0.03 * (320 / needed) ** 0.5, small.units, 0.05) == pytest.approx(0.8)


def test_a_large_one_is_cleared() -> None:
    assert examine(VersionEvidence(gate=gate(), effect=effect(standard_error=0.01))).state == "cleared"


def test_one_that_was_planned_for_the_usual_power_is_not_blamed() -> None:
    planned = effect(standard_error=0.05 / (2.054 + 0.842))
    assert chance_to_find(planned).value == pytest.approx(0.8, abs=0.01)
    assert examine(VersionEvidence(gate=gate(), effect=planned)).state == "unknown"


def test_one_that_found_or_ruled_out_the_gain_was_large_enough() -> None:
    small = effect(standard_error=0.03, found=True)
    assert examine(VersionEvidence(gate=gate(), effect=small)).state == "cleared"
    without = effect(standard_error=0.02, estimate=-0.02)
    assert examine(VersionEvidence(gate=gate(), effect=without)).state == "cleared"


def test_without_an_experiment_it_says_so() -> None:
    found = examine(VersionEvidence(gate=gate()))
    assert (found.state, "experiment plan" in found.next_step) == ("unknown", True)
