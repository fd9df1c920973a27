"""What an experiment measured and what the gate expects are told in one unit."""

from __future__ import annotations

from typing import Any

from retrainer.diagnosis.effects import arm_of, read_gate
from tests.diagnosing import EXPERIMENT

METRICS: dict[str, Any] = {"judged": 120, "champion_ndcg": 0.6, "change": 0.03, "overlap": 0.8}


def test_a_gate_of_an_earlier_release_says_less() -> None:
    gate = read_gate(METRICS)
    assert gate is not None
    assert (round(gate.differs, 9), gate.unjudged) == (0.2, None)
    now = {"differs": 0.7, "unjudged_change": 0.01, "unjudged_low": 0.0, "unjudged_high": 0.02}
    gate = read_gate(METRICS | now)
    assert gate is not None
    assert (gate.differs, gate.unjudged) == (0.7, (0.01, 0.0, 0.02))


def test_without_an_expected_gain_none_is_missing() -> None:
    assert read_gate({"judged": 3}) is None
    assert read_gate(METRICS | {"change": -0.01}) is None
    assert read_gate(METRICS | {"change": 0.0}) is None


def test_a_version_is_looked_for_among_the_treatments() -> None:
    assert arm_of(EXPERIMENT, "v-2") == "treatment"
    assert arm_of(EXPERIMENT, "v-1") is None
