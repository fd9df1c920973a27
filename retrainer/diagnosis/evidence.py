"""Everything that is known of a version when its missing gain is to be explained (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collector.api import AskedSearch, RunList
from foundation.contracts import PRIOR_CURVE, ClickCurve
from retrainer.diagnosis.effects import GateFigures, MeasuredEffect

MIN_PAST = 5
"""Past versions with both a gate's figure and an experiment's, below which nothing is said of the gate's metric."""


@dataclass(frozen=True, slots=True)
class SplitLists:
    """Lists of an A/B test of the version."""

    lists: Sequence[RunList]
    control: str
    treatment: str


@dataclass(frozen=True, slots=True)
class LeakedQueries:
    """How many of the queries that judged the version it had learned from, or from one nearly equal.

    Attributes:
        examples: Pairs of a judged query and the learned one, a few.
    """

    judged: int
    leaked: int
    examples: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class AskedQueries:
    """Searches of people: those of the weeks whose clicks judged the version, and those of its experiment."""

    judged: Sequence[AskedSearch]
    live: Sequence[AskedSearch]


@dataclass(frozen=True, slots=True)
class VersionEvidence:
    """What is known of a version; whatever is absent was not measured.

    Attributes:
        gate: None where the gate expected no gain.
        effect: Of its newest experiments for a gain, that which sees the expected one best.
        interleaved: Lists of its newest interleaving experiment.
        past: What experiments measured of versions before it.
        curve: The click curve by which its labels were read.
    """

    gate: GateFigures | None = None
    effect: MeasuredEffect | None = None
    interleaved: Sequence[RunList] = ()
    split: SplitLists | None = None
    past: Sequence[MeasuredEffect] = ()
    leaked: LeakedQueries | None = None
    asked: AskedQueries | None = None
    curve: ClickCurve = PRIOR_CURVE


NO_GAIN = "the gate expected no gain of this version, so none is missing"
"""Said by causes that compare with the expected gain."""
