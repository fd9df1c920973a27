"""What a training process does: it learns from the evidence as it stands, gates the candidate and registers it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from threadpoolctl import threadpool_limits

from clickloop.container import Container
from clickloop.judged import read_judged
from clickloop.spaces import CatalogSpaces
from collector.api import label, read_signals
from foundation.access.actors import LOCAL, command_line_actor
from foundation.arrays import Floats
from foundation.clock import SystemClock
from foundation.contracts import Labeller
from foundation.database.engine import reading, transaction
from foundation.database.leases import Lease, LeaseLost
from foundation.errors import ClickloopError, Conflict, Overloaded, StoreAway, needs_extra
from foundation.registry.registry import Version
from foundation.settings import Settings
from retrainer.candidate import MakeTowerLearner, TrainingContext, train_candidate
from retrainer.data.dataset import Dataset, freeze_dataset
from retrainer.data.store import keep_clusters
from retrainer.gold.judgment import grades_of
from retrainer.gold.store import GoldSet
from retrainer.runs import Learners
from retrainer.workers import run_lease
from serving.encode.form import pack_form, packaged_model
from serving.rules.settings import read_features

if TYPE_CHECKING:
    from retrainer.learners.encoder.learner import EncoderLearner
    from retrainer.learners.reranker.learner import StudentLearner

_KNOWN_VERSIONS = 10_000
_ABANDONED_S = 24 * 3600.0
"""A fine-tuning that nobody went on with for so long is given up."""


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
            train(container, collection, run_id, tell, register, learners=run.learners)
        except (LeaseLost, StoreAway, Overloaded):
            raise
        except ClickloopError as problem:
            container.runs.advance(run, "train", report={"problem": problem.detail})
            raise
        finally:
            container.snapshots.clear()


def train_once(
    container: Container,
    collection: str,
    tell: Callable[[str], None],
    learners: Learners = "fast",
    judged: Path | None = None,
) -> dict[str, Any]:
    """Train a candidate now and return what became of it.

    Args:
        judged: BEIR folder whose judgments are learned from, instead of clicks.
    """
    _use_one_thread()
    register = container.registry.register
    try:
        version = train(container, collection, "", tell, register, learners=learners, judged=judged)
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
    *,
    learners: Learners = "fast",
    judged: Path | None = None,
) -> Version:
    """Train a candidate on the evidence as it stands, gate it and register it; blocks.

    Args:
        judged: BEIR folder whose judgments are learned from, instead of clicks.

    Raises:
        Conflict: There is too little evidence, or too much to be embedded again.
        MissingExtra: MLflow or W&B is to be told, and is not installed.
    """
    record = _make_trackers(container.settings)
    actor = container.runs.get(collection, run_id).actor if run_id else command_line_actor()
    training, dataset, champion = prepare_training(container, collection, progress, actor, judged, learners)
    learner = None
    if learners in {"encoder", "student"} or must_forget(container, champion):
        name = run_id or dataset.digest[:16]
        learner = _make_encoder_learner(container, collection, name, len(training.corpus), small=learners == "student")
    tower = learners == "tower" or bool(champion.manifest.tower)  # one that serves is learned anew, never built on
    make_tower = _find_tower_learner(container) if tower else None
    version = train_candidate(training, dataset, champion, run_id, learner, make_tower)
    register(version)
    record(version)
    if learner is not None:
        shutil.rmtree(learner.folder, ignore_errors=True)
    return version


def must_forget(container: Container, champion: Version) -> bool:
    """Return whether the encoder of a version may have learned from a person who was erased since.

    The fast learners would build on it. So a run fine-tunes it anew, from the encoder of the settings.
    """
    encoder, collection = champion.manifest.encoder, champion.collection
    if encoder == container.encoder.digest:
        return False
    tainted = container.erasure_retraining.tainted(collection)
    known = container.registry.list(collection, _KNOWN_VERSIONS) if tainted else []
    return any(version.id in tainted and version.manifest.encoder == encoder for version in known)


def prepare_training(
    container: Container,
    collection: str,
    progress: Callable[[str], None],
    actor: str = LOCAL,
    judged: Path | None = None,
    learners: Learners = "fast",
) -> tuple[TrainingContext, Dataset, Version]:
    """Return what a training needs: its surroundings, the frozen evidence, and the champion to beat.

    Args:
        actor: Who asked for it, and so for the first champion where there is none.
        judged: BEIR folder whose judgments are learned from, instead of clicks.
        learners: Which of them are to learn. Where an encoder has learned from clicks or is to, the queries that judge
            are kept aside: no fold has an encoder of its own.

    Raises:
        Conflict: There is too little evidence, or no document to learn about.
    """
    champion = container.registry.get(collection, container.hotswap.install(collection, container.baseline, actor))
    baseline = replace(container.baseline, encoder_form=_keep_encoder_form(container))
    manifest = champion.manifest
    if manifest.encoder == baseline.encoder:
        manifest = replace(manifest, encoder_form=baseline.encoder_form)
    spaces = CatalogSpaces(container, collection, progress)
    space = spaces.open(manifest)
    if not len(space.corpus):
        raise Conflict(f"collection {collection!r} holds no document; there is nothing to learn about")
    cross_fitting = learners == "fast" and manifest.encoder == baseline.encoder
    dataset, labeller, signals = _read_data(container, collection, space.embedder.embed, judged, cross_fitting)
    training = TrainingContext(
        registry=container.registry,
        space=space,
        open_space=spaces.open,
        baseline=baseline,
        labeller=labeller,
        signals=signals,
        clock=container.clock,
        seed=container.settings.seed,
        progress=progress,
        features=read_features(container.revisions.standing(collection)[1]),
    )
    return training, dataset, replace(champion, manifest=manifest)


def _read_data(
    container: Container,
    collection: str,
    embed: Callable[[list[str]], Floats],
    judged: Path | None,
    cross_fitting: bool,
) -> tuple[Dataset, Labeller, dict[str, float]]:
    """Return the frozen evidence, what labels it, and what its signals weigh; or judgments in its place."""
    settings, now = container.settings, container.clock.now()
    if judged is not None:
        keep = partial(keep_clusters, container.engine, collection)
        return *read_judged(judged, collection, now, embed, keep, cross_fitting=cross_fitting), {}
    half_life_days, gold = settings.evidence_half_life_days, GoldSet(container.engine, container.clock).read(collection)
    dataset = freeze_dataset(
        container.engine, collection, now, half_life_days, embed, grades_of(gold), cross_fitting=cross_fitting
    )
    with reading(container.engine) as connection:
        signals = read_signals(connection, collection, settings.lists_per_user)
    return dataset, partial(label, signals=signals), asdict(signals)


def _make_encoder_learner(
    container: Container, collection: str, name: str, documents: int, *, small: bool
) -> EncoderLearner | StudentLearner:
    """Return what fine-tunes the encoder, or distils a smaller one.

    Args:
        name: Of the training; under the same one it goes on where it was.

    Raises:
        Conflict: There are more documents than may be embedded again.
    """
    settings = container.settings
    if documents > settings.encoder_documents:
        raise Conflict(
            f"collection {collection!r} holds {documents} documents, all of which were to be embedded again; "
            f"CLICKLOOP_ENCODER_DOCUMENTS allows {settings.encoder_documents}"
        )
    home = Path(settings.home)
    _remove_abandoned(home / "tuning")
    place: dict[str, Any] = {
        "base": settings.model,
        "precision": container.encoder.digest.rpartition("-")[2],
        "forms": home / "onnx",
        "folder": home / "tuning" / f"{collection}-{name}",
    }
    if small:
        return _make_student_learner(settings, container.encoder.dimension, place)
    from retrainer.learners.encoder import learner, tuning  # noqa: PLC0415  sentence-transformers takes seconds to load, and few trainings tune the encoder

    plan = tuning.TuningPlan(limit_s=60 * settings.encoder_minutes)
    return learner.EncoderLearner(**place, plan=plan, mined=settings.encoder_negatives == "mined")


def _make_student_learner(settings: Settings, dimension: int, place: dict[str, Any]) -> StudentLearner:
    """Return what distils a student of an encoder of some dimension."""
    from retrainer.learners.reranker import learner, student  # noqa: PLC0415  sentence-transformers takes seconds to load, and few trainings teach a student

    plan = student.StudentPlan(
        layers=settings.student_layers,
        dimension=min(settings.student_dimension, dimension),
        limit_s=60 * settings.encoder_minutes,
    )
    return learner.StudentLearner(**place, teacher=settings.teacher, plan=plan)


def _find_tower_learner(container: Container) -> MakeTowerLearner:
    """Return what makes learners of static towers, from the word vectors of the encoder of the settings."""
    from retrainer.learners.tower.learner import TowerLearner  # noqa: PLC0415  sentence-transformers takes seconds to load, and few trainings have a tower

    model = container.settings.model
    return partial(TowerLearner, Path(model) if model else packaged_model())


def _keep_encoder_form(container: Container) -> str:
    """Return the digest of the encoder's exported form, which is an artifact from now on; candidates inherit it."""
    cache, precision = Path(container.settings.home) / "onnx", container.encoder.digest.rpartition("-")[2]
    return container.registry.artifacts.put(pack_form(container.settings.model, cache, precision))


def _remove_abandoned(folder: Path) -> None:
    now_s = SystemClock().now().timestamp()
    for left in folder.glob("*"):
        if now_s - left.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(left, ignore_errors=True)


def _make_trackers(settings: Settings) -> Callable[[Version], None]:
    """Return what tells MLflow and W&B of a candidate, as the settings say; MissingExtra when one is not installed."""
    told: list[Callable[[Version], None]] = []
    if settings.mlflow_url:
        with needs_extra("mlflow", "CLICKLOOP_MLFLOW_URL"):
            from retrainer.tracking.mlflow_tracker import MlflowTracker  # noqa: PLC0415  only the extra installs MLflow
        told.append(MlflowTracker(settings.mlflow_url).record)
    if settings.wandb_project:
        with needs_extra("wandb", "CLICKLOOP_WANDB_PROJECT"):
            from retrainer.tracking.wandb_tracker import WandbTracker  # noqa: PLC0415  only the extra installs W&B
        told.append(WandbTracker(settings.wandb_project, settings.wandb_mode, Path(settings.home)).record)

    def record(version: Version) -> None:
        for tell in told:
            tell(version)

    return record


def _use_one_thread() -> None:
    """Leave the other cores to serving; threads inside small products mostly wait for each other."""
    torch.set_num_threads(1)
    threadpool_limits(1)
