"""Queries that were learned from may not judge."""

from __future__ import annotations

from retrainer.diagnosis.causes.leakage import examine
from retrainer.diagnosis.evidence import LeakedQueries, VersionEvidence
from tests.diagnosing import gate


def test_leaks_that_can_make_the_gain_are_named_with_an_example() -> None:
    found = examine(VersionEvidence(gate=gate(), leaked=LeakedQueries(100, 30, [("print a label", "label printing")])))
    assert found.state == "named"
    assert "'print a label' beside 'label printing'" in found.sentence


def test_none_are_cleared() -> None:
    assert examine(VersionEvidence(gate=gate(change=0.2), leaked=LeakedQueries(100, 0))).state == "cleared"


def test_a_leak_that_cannot_make_a_large_gain_is_not_blamed() -> None:
    assert examine(VersionEvidence(gate=gate(change=0.2), leaked=LeakedQueries(100, 2))).state == "cleared"


def test_a_version_that_remembers_no_queries_says_so() -> None:
    assert examine(VersionEvidence(gate=gate())).state == "unknown"
    assert examine(VersionEvidence(gate=gate(), leaked=LeakedQueries(0, 0))).state == "unknown"
