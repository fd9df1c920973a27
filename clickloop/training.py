"""What a training process does: it learns from the evidence as it stands, gates the candidate and registers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from clickloop.container import Container
from collector.api import label, read_signals
from foundation.access.actors import LOCAL, command_line_actor
from foundation.database.engine import reading, transaction
from foundation.database.leases import Lease, LeaseLost
from foundation.errors import ClickloopError, Conflict, Overloaded, StoreAway, needs_extra
from foundation.registry.registry import Version
from retrainer.candidate import TrainingContext, train_candidate
from retrainer.data.dataset import Dataset, freeze_dataset
from retrainer.workers import run_lease
from serving.encode.form import pack_form

_CHANGES_AT_ONCE = 512


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
            train(container, collection, run_id, tell, register)
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
        version = train(container, collection, "", tell, container.registry.register)
    finally:
        container.snapshots.clear()
    told = {name: getattr(version, name) for name in ("status", "reason", "metrics", "lineage")}
    return {"version": version.id} | told


def train(
    container: Container,
    collection: str,
    run_id: str,
    progress: Callable[[str], None],
    register: Callable[[Version], None],
) -> Version:
    """Train a candidate on the evidence as it stands, gate it and register it; blocks.

    Raises:
        Conflict: There is too little evidence.
        MissingExtra: MLflow is to be told, and is not installed.
    """
    record = _make_tracker(container.settings.mlflow_url)
    actor = container.runs.get(collection, run_id).actor if run_id else command_line_actor()
    version = train_candidate(*prepare_training(container, collection, progress, actor), run_id)
    register(version)
    record(version)
    return version


def prepare_training(
    container: Container, collection: str, progress: Callable[[str], None], actor: str = LOCAL
) -> tuple[TrainingContext, Dataset, Version]:
    """Return what a training needs: its surroundings, the frozen evidence, and the champion to beat.

    Args:
        actor: Who asked for it, and so for the first champion where there is none.

    Raises:
        Conflict: There is too little evidence, or no document to learn about.
    """
    settings, engine, embed = container.settings, container.engine, container.embedder.embed
    champion = container.registry.get(collection, container.hotswap.install(collection, container.baseline, actor))
    corpus = container.snapshots.open(collection)
    while changes := container.catalog.changes(collection, corpus.change, _CHANGES_AT_ONCE):
        corpus.apply(changes, container.embedder)
    if not len(corpus):
        raise Conflict(f"collection {collection!r} holds no document; there is nothing to learn about")
    dataset = freeze_dataset(engine, collection, container.clock.now(), settings.evidence_half_life_days, embed)
    with reading(engine) as connection:
        signals = read_signals(connection, collection, settings.lists_per_user)
    training = TrainingContext(
        registry=container.registry,
        corpus=corpus,
        embed=embed,
        labeller=partial(label, signals=signals),
        signals=asdict(signals),
        clock=container.clock,
        seed=settings.seed,
        progress=progress,
    )
    manifest = replace(champion.manifest, encoder_form=_keep_encoder_form(container))
    return training, dataset, replace(champion, manifest=manifest)


def _keep_encoder_form(container: Container) -> str:
    """Return the digest of the encoder's exported form, which is an artifact from now on; candidates inherit it."""
    cache, precision = Path(container.settings.home) / "onnx", container.encoder.digest.rpartition("-")[2]
    return container.registry.artifacts.put(pack_form(container.settings.model, cache, precision))


def _make_tracker(url: str) -> Callable[[Version], None]:
    """Return what tells MLflow of a candidate, nobody without a URL; MissingExtra when it is not installed."""
    if not url:
        return lambda _: None
    with needs_extra("mlflow", "CLICKLOOP_MLFLOW_URL"):
        from retrainer.tracking import Tracker  # noqa: PLC0415  needs MLflow, which only the extra `mlflow` installs
    return Tracker(url).record


def _use_one_thread() -> None:
    """Leave the other cores to serving; threads inside small products mostly wait for each other."""
    torch.set_num_threads(1)
    threadpool_limits(1)
