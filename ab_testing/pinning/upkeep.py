"""Keeps the evidence that experiments pin: taken at the start, anew every week, dropped when nobody reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from ab_testing import store
from ab_testing.design.experiment import Experiment
from collector.api import erased_since
from foundation.clock import Clock
from foundation.database.engine import reading, transaction

RENEW_AFTER = timedelta(days=7)
"""Age at which both sides of an experiment get newer evidence, at the same moment.

Every renewal gives each side what the other's users found. Renewed six times within a run, an A/B sees no more of the
effect than with shared evidence; see ADR 20.
"""

_ERASURE_TAKES = timedelta(minutes=1)
"""Time from the announcement of an erasure after which its deletions are done."""


class Pins(Protocol):
    """Keeps the live evidence of a moment; `ab_testing.pinning.pins.EvidencePins` is one."""

    def take(self, collection: str, owner: str) -> str:
        """Keep the present evidence of a collection for an owner and return its digest. Reads all of it."""

    def drop(self, digest: str) -> None:
        """Forget what `take` kept."""


class PinUpkeep:
    """Takes, renews and drops the evidence of experiments.

    Args:
        pins: Keeps evidence; where it is None, both sides read what is live.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, pins: Pins | None) -> None:
        self._engine = engine
        self._clock = clock
        self._pins = pins

    def take(self, experiment: Experiment) -> str:
        """Return the digest of what both sides shall read from now on, "" where they read what is live."""
        if self._pins is None or experiment.plan.evidence != "pinned" or not experiment.plan.versions:
            return ""
        owner = f"{experiment.id}/{experiment.run}/{self._clock.now().isoformat()}"
        return self._pins.take(experiment.collection, owner)

    def renew(self, experiment: Experiment) -> Experiment:
        """Return a running experiment with newer evidence, once a week and when a person was erased since."""
        pinned_at, now = experiment.pinned_at, self._clock.now()
        if pinned_at is None or not self._is_due(experiment.collection, pinned_at, now):
            return experiment
        renewed = replace(experiment, pinned=self.take(experiment), pinned_at=now)
        with transaction(self._engine) as connection:
            unchanged = store.is_unchanged(connection, experiment)
            if unchanged:
                store.save(connection, renewed)
        self.drop_unread(experiment if unchanged else renewed)
        return renewed if unchanged else experiment

    def drop_unread(self, experiment: Experiment) -> None:
        """Forget the evidence of an experiment unless one that runs reads it."""
        if self._pins is None or not experiment.pinned:
            return
        with reading(self._engine) as connection:
            read = {one.pinned for one in store.running(connection)}
        if experiment.pinned not in read:
            self._pins.drop(experiment.pinned)

    def _is_due(self, collection: str, pinned_at: datetime, now: datetime) -> bool:
        """Return whether the evidence is a week old, or may hold a person who was erased since or just before."""
        if now - pinned_at >= RENEW_AFTER:
            return True
        if now - pinned_at < _ERASURE_TAKES:
            return False
        with reading(self._engine) as connection:
            return erased_since(connection, collection, pinned_at - _ERASURE_TAKES)
