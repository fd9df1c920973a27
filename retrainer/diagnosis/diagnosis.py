"""Goes through the causes of a missing gain in the order in which an expert would (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retrainer.diagnosis.causes import (
    agreement,
    clicks,
    drift,
    latency,
    leakage,
    lists,
    position_bias,
    power,
    unjudged,
)
from retrainer.diagnosis.evidence import VersionEvidence
from retrainer.diagnosis.finding import CauseFinding

CAUSES: tuple[Callable[[VersionEvidence], CauseFinding], ...] = (
    power.examine,
    lists.examine,
    clicks.examine,
    leakage.examine,
    agreement.examine,
    drift.examine,
    unjudged.examine,
    latency.examine,
    position_bias.examine,
)
"""What explains more of the rest comes first: a test that cannot see makes all other questions idle."""


@dataclass(frozen=True, slots=True)
class VersionDiagnosis:
    """Why a version that the gate found better changes nothing for its users."""

    version: str = field(metadata={"description": "Id of the version."})
    sentence: str = field(metadata={"description": "The first cause that was found, or that none was."})
    named: tuple[str, ...] = field(metadata={"description": "The causes that explain it, the first one first."})
    findings: tuple[CauseFinding, ...] = field(metadata={"description": "All causes, in the order of the examination."})


def diagnose(version: str, seen: VersionEvidence) -> VersionDiagnosis:
    """Return what is known of each cause."""
    findings = tuple(examine(seen) for examine in CAUSES)
    named = [one for one in findings if one.state == "named"]
    return VersionDiagnosis(
        version=version,
        sentence=named[0].sentence if named else _tell_none(findings),
        named=tuple(one.cause for one in named),
        findings=findings,
    )


def _tell_none(findings: tuple[CauseFinding, ...]) -> str:
    unknown = [one.cause.replace("_", " ") for one in findings if one.state == "unknown"]
    if not unknown:
        return "None of the usual causes was found."
    return f"No cause was found; there is not enough to tell about {', '.join(unknown)}."
