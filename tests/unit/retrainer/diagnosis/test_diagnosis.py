"""Every cause is spoken of, in the order of an expert's questions, also where nothing is known."""

from __future__ import annotations

from retrainer.diagnosis.diagnosis import diagnose
from retrainer.diagnosis.evidence import LeakedQueries, VersionEvidence
from tests.diagnosing import effect, gate

ORDER = [
    *("power", "lists", "clicks", "leakage", "agreement", "drift"),
    *("unjudged", "latency", "position_bias"),
]


def test_of_a_version_of_which_nothing_is_known_every_cause_says_so() -> None:
    found = diagnose("v-2", VersionEvidence())
    assert [one.cause for one in found.findings] == ORDER
    assert {one.state for one in found.findings} == {"unknown"}
    assert all(one.sentence.startswith("Not enough: ") for one in found.findings)
    assert found.named == ()
    assert found.sentence.startswith("No cause was found; there is not enough to tell about power, lists,")


def test_the_first_cause_is_the_sentence() -> None:
    small = effect(standard_error=0.04, searches=200)
    seen = VersionEvidence(gate=gate(), effect=small, leaked=LeakedQueries(100, 80))
    found = diagnose("v-2", seen)
    assert found.named == ("power", "leakage")
    assert found.sentence == found.findings[0].sentence
