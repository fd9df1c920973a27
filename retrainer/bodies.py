"""What requests about versions and training runs say, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from foundation.registry.names import MAX_NAME, NAME_PATTERN
from retrainer.runs import Learners


class _Answer(BaseModel):
    """An answer that can be read from the attributes of a record."""

    model_config = ConfigDict(from_attributes=True)


class VersionOut(_Answer):
    """A version with its lineage."""

    id: str
    name: str = Field(description="What people call it; taken wherever its id is.")
    parent: str = Field(description="The version it was trained from.")
    status: str = Field(description="candidate, approved, refused, champion or retired.")
    reason: str = Field(description="Why it has this status.")
    manifest: dict[str, Any] = Field(description="Digests of its artifacts, fusion weights and click curve.")
    lineage: dict[str, Any] = Field(description="Data digest, training run, code version, seed.")
    metrics: dict[str, Any] = Field(description="What the gate measured.")
    created_at: datetime
    retrain_wanted: bool = Field(description="It may have learned from a person erased since; train a new one.")


class StatusOut(_Answer):
    """A status that a version was given."""

    status: str
    reason: str
    at: datetime
    actor: str = Field(description="Who gave it; empty for what was done before that was recorded.")


class VersionWithHistory(VersionOut):
    """A version with every status that it had."""

    history: list[StatusOut] = Field(description="The first one first; none is ever changed.")


class ReplicaOut(_Answer):
    """What one replica serves."""

    name: str
    version: str
    problem: str = Field(description="Why it does not serve the champion, empty when it does.")


class VersionsOut(_Answer):
    """A collection's versions."""

    champion: str
    versions: list[VersionOut]
    replicas: list[ReplicaOut]


class MoveOut(_Answer):
    """A move of the champion pointer."""

    version: str
    previous: str
    reason: str
    at: datetime
    kind: str = Field(description="promotion or rollback.")
    actor: str = Field(description="Who moved it; empty for what was done before that was recorded.")


class MoveIn(BaseModel):
    """Why the pointer is moved, and from where."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("by hand", max_length=500)
    from_: str = Field(
        "", alias="from", max_length=MAX_NAME, description="The champion as you know it; another one by now is a 409."
    )


class RollbackIn(MoveIn):
    """Why the pointer is moved back, from where, and to where."""

    to: str = Field(
        "", max_length=MAX_NAME, description="Where that leads as you know it; another version by now is a 409."
    )


class NameIn(BaseModel):
    """What something is to be called."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=MAX_NAME, pattern=NAME_PATTERN)


class RunIn(BaseModel):
    """A request to train."""

    model_config = ConfigDict(extra="forbid", strict=True)

    autopilot: bool = Field(False, description="Go on after the gate: plan, prove, promote, watch.")
    learners: Learners = Field(
        "fast",
        description="fast; tower: a static tower too; encoder: fine-tune the encoder too; student: a smaller encoder "
        "that a teacher and the encoder teach.",
    )


class RunOut(_Answer):
    """A training run."""

    id: str
    name: str = Field(description="What people call it; taken wherever its id is.")
    actor: str = Field(description="Who asked for it; empty for what was done before that was recorded.")
    state: str = Field(description="active, approved, promoted, rolled_back, refused, dropped or failed.")
    step: str = Field(description="What is done: train, plan, interleave, compare, promote, holdback, done.")
    autopilot: bool
    learners: Learners = Field(description="fast, tower, encoder or student.")
    version: str = Field(description="The candidate, once trained.")
    experiment: str = Field(description="The experiment of its present step, once started.")
    report: dict[str, Any] = Field(description="What each finished step said.")
    requested_at: datetime
    updated_at: datetime
