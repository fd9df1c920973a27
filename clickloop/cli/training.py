"""What a training process does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from clickloop.container import Container
from foundation.database.engine import transaction
from foundation.database.leases import Lease, LeaseLost
from foundation.errors import ClickloopError, Overloaded, StoreAway
from foundation.registry.registry import Version
from retrainer.workers import run_lease


def train_for_run(container: Container, collection: str, run_id: str, lease_number: int) -> None:
    """Train for a run of the table, and record the candidate with its version, or the problem before raising it.

    Args:
        lease_number: Of the run's lease, which is kept alive meanwhile and named in everything that is written.

    Raises:
        LeaseLost: Another process trains the run by now; nothing was registered.
    """
    _use_one_thread()
    lease = Lease(run_lease(run_id), lease_number)
    with container.leases.renewing(lease, container.settings.lease_duration()), container.leases.guarded(lease):
        run = container.runs.get(collection, run_id)

        def tell(doing: str) -> None:
            container.runs.advance(run, "train", report={"doing": doing})

        def register(version: Version) -> None:
            report = {"gate": version.reason, "metrics": version.metrics}
            with transaction(container.engine) as connection:
                container.registry.register_in(connection, version)
                container.runs.advance_in(connection, run, "train", version=version.id, report=report)

        try:
            container.train(collection, run_id, tell, register)
        except (LeaseLost, StoreAway, Overloaded):
            raise
        except ClickloopError as problem:
            container.runs.advance(run, "train", report={"problem": problem.detail})
            raise
        finally:
            container.snapshots.clear()


def train_once(container: Container, collection: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Train a candidate now and return what became of it."""
    _use_one_thread()
    try:
        version = container.train(collection, "", tell, container.registry.register)
    finally:
        container.snapshots.clear()
    return {
        "version": version.id,
        "status": version.status,
        "reason": version.reason,
        "metrics": version.metrics,
        "lineage": version.lineage,
    }


def _use_one_thread() -> None:
    """Leave the other cores to serving; threads inside small products mostly wait for each other."""
    torch.set_num_threads(1)
    threadpool_limits(1)
