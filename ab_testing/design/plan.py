"""What an experiment is: its plan, frozen when it is made, and its state."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from ab_testing.design.assignment import ARMS
from foundation.errors import FieldFault, InvalidRequest

Kind = Literal["ab", "interleaving"]
State = Literal["draft", "running", "stopped", "decided"]
INTERLEAVED = "interleaved"
_NAME_LENGTH = 200
_VERSION_LENGTH = 64


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """What is compared, on how much traffic and until when. Nothing of it changes after the start.

    The planned end comes when both `planned_searches` and `min_days` have been reached, at the
    latest after `max_days`.

    Raises:
        InvalidRequest: A value is wrong; `fields` names each one.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str = field(metadata={"description": "What people call the experiment; 1 to 200 printable characters."})
    kind: Kind = field(
        metadata={
            "description": "ab: each unit sees one version. interleaving: every unit sees both in one list; "
            "needs far fewer searches and tells only which ranking users prefer."
        }
    )
    control: str = field(metadata={"description": "Version id of the present ranking."})
    treatment: str = field(metadata={"description": "Version id of the ranking under test."})
    planned_searches: int = field(metadata={"description": "Searches after which the experiment is decided; above 0."})
    min_days: float = field(metadata={"description": "Days before which nothing is promoted; at least 0."})
    max_days: float = field(metadata={"description": "Days after which it is decided in any case; not below min_days."})
    coverage: float = field(
        default=1.0, metadata={"description": "Share of all units that take part; above 0, at most 1."}
    )
    alpha: float = field(
        default=0.05, metadata={"description": "Largest probability of a false finding; above 0, at most 0.2."}
    )

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            detail = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
            raise InvalidRequest(f"the experiment's plan is not valid: {detail}", faults)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of its impressions."""
        return ARMS if self.kind == "ab" else (INTERLEAVED,)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values, to be read by `ExperimentPlan(**value)`."""
        return asdict(self)

    def _faults(self) -> Iterator[FieldFault]:
        if self.kind not in {"ab", "interleaving"}:
            yield FieldFault("kind", f"is {self.kind!r}; it must be 'ab' or 'interleaving'")
        for name, length in (("name", _NAME_LENGTH), ("control", _VERSION_LENGTH), ("treatment", _VERSION_LENGTH)):
            value = getattr(self, name)
            if not value.strip() or len(value) > length or not value.isprintable():
                yield FieldFault(name, f"must be 1 to {length} printable characters")
        if self.kind == "interleaving" and self.control == self.treatment:
            yield FieldFault("treatment", "is the control itself; interleaving needs two different versions")
        for name, valid, rule in self._numbers():
            if not valid:
                yield FieldFault(name, f"is {getattr(self, name)}; it must be {rule}")

    def _numbers(self) -> Iterator[tuple[str, bool, str]]:
        yield "coverage", 0 < self.coverage <= 1, "above 0 and at most 1"
        yield "planned_searches", 0 < self.planned_searches <= 10**12, "above 0 and at most 10**12"
        yield "min_days", 0 <= self.min_days < math.inf, "at least 0"
        yield (
            "max_days",
            0 < self.max_days < math.inf and self.max_days >= self.min_days,
            "above 0 and not below min_days",
        )
        yield "alpha", 0 < self.alpha <= 0.2, "above 0 and at most 0.2"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A plan and how far it has come."""

    collection: str = field(metadata={"description": "The collection whose searches take part."})
    id: str = field(metadata={"description": "Name of the experiment in every address."})
    plan: ExperimentPlan = field(metadata={"description": "What is compared; frozen."})
    state: State = field(
        metadata={
            "description": "draft, running, stopped (by a person, can be started again) or decided (by a verdict)."
        }
    )
    starts: int = field(metadata={"description": "How often it was started; every start splits the units anew."})
    created_at: datetime = field(metadata={"description": "When it was made."})
    started_at: datetime | None = field(default=None, metadata={"description": "When it was last started."})
    ended_at: datetime | None = field(default=None, metadata={"description": "When it was stopped or decided."})
    created_by: str = field(default="", metadata={"description": "Who made it."})
    started_by: str = field(default="", metadata={"description": "Who last started it."})

    @property
    def traffic_salt(self) -> str:
        """Decides who takes part; the same after a restart."""
        return f"{self.id}/traffic"

    @property
    def split_salt(self) -> str:
        """Decides the arms; new at every start, so that no arm inherits what the last run did to its users."""
        return f"{self.id}/split/{self.starts}"

    @property
    def coin_salt(self) -> str:
        """Seeds the drafts of interleaved lists."""
        return f"{self.id}/coin/{self.starts}"

    def days(self, at: datetime) -> float:
        """Return the days it had run by `at`; 0 before its start."""
        if self.started_at is None:
            return 0.0
        return max(0.0, ((self.ended_at or at) - self.started_at).total_seconds() / 86400)


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that was decided about an experiment, with everything it rested on."""

    id: str = field(metadata={"description": "Sorts by time."})
    experiment: str = field(metadata={"description": "The experiment's id."})
    verdict: str = field(metadata={"description": "promote, keep_control, rollback, invalid, or stopped by a person."})
    reason: str = field(metadata={"description": "Why, in words."})
    inputs: dict[str, Any] = field(
        metadata={"description": "Plan, days and statistics; the verdict follows from them."}
    )
    at: datetime = field(metadata={"description": "When it was decided."})
    effect: float | None = field(
        default=None, metadata={"description": "The estimated effect on the primary metric, null without enough units."}
    )
    actor: str = field(default="", metadata={"description": "Who decided: a person, or the experiment's own test."})
