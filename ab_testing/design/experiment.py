"""An experiment: a plan and how far it has come, and what was decided about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ab_testing.design.plan import ExperimentPlan
from ab_testing.stats.sequential import RUNNING_SHARE

State = Literal["draft", "running", "stopped", "decided"]


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
    run: int = field(metadata={"description": "How often it was started; every start splits the units anew."})
    created_at: datetime = field(metadata={"description": "When it was made."})
    started_at: datetime | None = field(default=None, metadata={"description": "When it was last started."})
    ended_at: datetime | None = field(default=None, metadata={"description": "When it was stopped or decided."})
    created_by: str = field(default="", metadata={"description": "Who made it."})
    started_by: str = field(default="", metadata={"description": "Who last started it."})
    champion: str = field(
        default="", metadata={"description": "The champion of the start, which stands for 'champion' in the plan."}
    )
    slots_from: float = field(
        default=0.0, metadata={"description": "Where its part of the collection's traffic begins, 0 to 1."}
    )
    pinned: str = field(default="", metadata={"description": "Digest of the live evidence that both sides read."})
    pinned_at: datetime | None = field(default=None, metadata={"description": "When that evidence was read."})

    @property
    def traffic_salt(self) -> str:
        """Decides who takes part; the same for all experiments of a collection, which take different parts of it."""
        return f"{self.collection}/traffic"

    @property
    def split_salt(self) -> str:
        """Decides the arms; new at every start, so that no arm inherits what the last run did to its users."""
        return f"{self.id}/split/{self.run}"

    @property
    def coin_salt(self) -> str:
        """Seeds the drafts of interleaved lists."""
        return f"{self.id}/coin/{self.run}"

    @property
    def alpha(self) -> float:
        """What is left of the plan's alpha for this run.

        A run that was stopped early has spent what its confidence sequence spends; the rest is the next run's. So all
        runs together err with probability `plan.alpha` at most.
        """
        return self.plan.alpha * (1 - RUNNING_SHARE) ** max(self.run - 1, 0)

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
        metadata={
            "description": "Plan, its hash, the run, the log position and all sums; the verdict follows from them."
        }
    )
    at: datetime = field(metadata={"description": "When it was decided."})
    effect: float | None = field(
        default=None, metadata={"description": "The estimated effect on the first success metric, null without it."}
    )
    run: int = field(default=0, metadata={"description": "The run of the experiment that it ended."})
    plan_hash: str = field(default="", metadata={"description": "Hash of the plan."})
    change: int = field(
        default=0, metadata={"description": "Log position: the last change of the evidence that its sums hold."}
    )
    actor: str = field(default="", metadata={"description": "Who decided: a person, or the experiment's own test."})
