"""Trains one candidate from the present evidence, gates it, and records how it was made.

The fast learners leave the texts alone. With the slow one the encoder is fine-tuned first, the documents are embedded
by it, and the fast ones learn anew on top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from foundation.arrays import Floats
from foundation.clock import Clock, monotonic_s
from foundation.contracts import Evidence, Label, Labeller, Manifest
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from retrainer.data.dataset import Dataset
from retrainer.gate.examination import Examiner, encode_queries
from retrainer.gate.gate import Gate, judge_candidate
from retrainer.gate.siblings import SIBLINGS, CrossFitted, open_siblings, stand_alone, write_siblings
from retrainer.learners.alternation import Learned, learn
from retrainer.learners.encoder.bridging import bridge_spaces
from retrainer.learners.encoder.protocol import LearnsEncoder
from retrainer.learners.tower.protocol import LearnsTower
from retrainer.learners.training_set import prepare_training_set
from serving.index.corpus import Corpus
from serving.index.fields.normalised import name_columns
from serving.index.space import Space
from serving.ranking.model import write_memory

MakeTowerLearner = Callable[[Corpus], LearnsTower]


@dataclass(frozen=True, slots=True)
class TrainingContext:
    """What training needs of its surroundings.

    Attributes:
        space: The documents as the champion's encoder reads them, from the same cache as serving.
        open_space: Returns them as the encoder of a version reads them; embeds those that it has not seen.
        baseline: The untuned version, whose encoder fine-tuning starts from.
        signals: How much satisfied and dissatisfied users weigh in these labels; kept in the lineage.
        features: Fields that the owner declared as features, with how many of their values count one by one.
    """

    registry: Registry
    space: Space
    open_space: Callable[[Manifest], Space]
    baseline: Manifest
    labeller: Labeller
    signals: Mapping[str, float]
    clock: Clock
    seed: int
    progress: Callable[[str], None]
    features: Mapping[str, int] = field(default_factory=dict)

    @property
    def corpus(self) -> Corpus:
        """The documents as the champion's encoder reads them."""
        return self.space.corpus

    def embed(self, texts: list[str]) -> Floats:
        """Return the unit vectors of texts by the champion's encoder."""
        return self.space.embedder.embed(texts)


def train_candidate(
    training: TrainingContext,
    dataset: Dataset,
    champion: Version,
    run_id: str,
    encoder_learner: LearnsEncoder | None = None,
    make_tower_learner: MakeTowerLearner | None = None,
) -> Version:
    """Return the candidate, to be registered: approved by the gate, or refused with the reason.

    Takes about half a minute for 10,000 clicks on two cores, and minutes more with another encoder.

    Args:
        encoder_learner: Fine-tunes the encoder; None keeps the champion's.
        make_tower_learner: Returns what learns a static tower for a corpus; None makes a candidate without one.

    Raises:
        Conflict: The encoder was to be fine-tuned, and there is too little to learn it from, or it got no better.
    """
    started = monotonic_s()
    training.progress(f"learning from {len({row.query_key for row in dataset.learn})} queries")
    space, parent = training.space, champion.manifest
    how: dict[str, Any] = {"learners": "fast"}
    if encoder_learner is not None:
        labels = _learn(training, dataset.learn, space).labels
        parent, how = _learn_encoder(training, labels, champion.manifest, encoder_learner)
        space = training.open_space(parent)
        parent, agreement = _bridge(training, labels, parent, space)
        how |= {"bridge": "kept" if parent.encoder_bridge else "misleads", "bridge_agreement": agreement}
    tower = make_tower_learner(space.corpus) if make_tower_learner else None
    learned = _learn(training, dataset.learn, space, tower)
    if tower is not None:
        how |= {"tower": "kept" if learned.tower else "does not pay"}
    manifest = write_manifest(learned, parent, dataset.change, training.registry.artifacts)
    candidate = cross_fit(training, dataset, manifest, tower)
    if dataset.cross_fitted:
        how |= {SIBLINGS: training.registry.artifacts.put(write_siblings(candidate.siblings))}
    trained_s = monotonic_s() - started
    training.progress("gate: ranking held-out queries")
    gate = gate_candidate(training, dataset, open_siblings(champion, training.registry.artifacts.get), candidate)
    return Version(
        collection=dataset.collection,
        id=manifest.id,
        parent=champion.id,
        status="approved" if gate.passed else "refused",
        reason=gate.reason,
        manifest=manifest,
        lineage=_lineage(training, dataset, learned, run_id, trained_s) | how,
        metrics=gate.metrics,
        created_at=training.clock.now(),
    )


def cross_fit(
    training: TrainingContext, dataset: Dataset, manifest: Manifest, tower: LearnsTower | None = None
) -> CrossFitted:
    """Return a version that learned from a dataset, with its siblings: one for each fold that judges.

    A fold that was kept aside judges the version itself. Otherwise as many trainings as there are folds are run.

    Args:
        tower: Learns static towers over the documents of the version's space; each sibling keeps its own if it pays.
    """
    if not dataset.cross_fitted:
        return stand_alone(manifest)
    siblings = {}
    for fold in dataset.folds:
        training.progress(f"learning without fold {fold.number + 1} of {len(dataset.folds)}")
        learned = _learn(training, fold.learn, training.open_space(manifest), tower)
        siblings[fold.number] = write_manifest(learned, manifest, dataset.change, training.registry.artifacts)
    return CrossFitted(manifest, siblings)


def _learn(
    training: TrainingContext, evidence: list[Evidence], space: Space, tower: LearnsTower | None = None
) -> Learned:
    corpus = space.corpus
    fields = name_columns(corpus.fields, training.features, np.flatnonzero(corpus.present()))
    return learn(
        prepare_training_set(evidence, space.embedder.embed_queries, fields),
        corpus,
        training.labeller,
        training.seed,
        progress=training.progress,
        tower=tower,
    )


def _learn_encoder(
    training: TrainingContext, labels: list[Label], champion: Manifest, learner: LearnsEncoder
) -> tuple[Manifest, dict[str, Any]]:
    """Return the champion with an encoder that labels have taught, and how it was made."""
    base = training.open_space(training.baseline)
    keys = sorted({label.query_key for label in labels})
    queries = {query.key: query for query in encode_queries(base, keys)}
    found = learner.learn(labels, base.corpus, queries, seed=training.seed, progress=training.progress)
    put = training.registry.artifacts.put
    tuned = replace(champion, encoder=found.name, encoder_form=put(found.form), encoder_source=put(found.source))
    return tuned, {"learners": "encoder"} | found.lineage


def _bridge(training: TrainingContext, labels: list[Label], tuned: Manifest, space: Space) -> tuple[Manifest, float]:
    """Return a version with a bridge to its encoder from the champion's, where that agrees; and how well it does."""
    asked = encode_queries(space, {label.query_key for label in labels})
    bridge, agreement = bridge_spaces(training.space.encoder, training.corpus, space.corpus, asked)
    kept = training.registry.artifacts.put(bridge.to_bytes()) if bridge else ""
    return replace(tuned, encoder_bridge=kept), round(agreement, 4)


def write_manifest(learned: Learned, parent: Manifest, change: int, artifacts: ArtifactStore) -> Manifest:
    """Store what was learned as artifacts and return the manifest that names them."""
    return replace(
        parent,
        adapter=artifacts.put(learned.adaptation.adapter.to_bytes()),
        residuals=artifacts.put(learned.adaptation.residuals(learned.documents).to_bytes()),
        memory=artifacts.put(write_memory(learned.choices, change)),
        tower=artifacts.put(learned.tower.to_bytes()) if learned.tower else "",
        fusion="linear",
        weights={name: round(weight, 6) for name, weight in learned.weights.items()},
        curve=learned.curve,
    )


def gate_candidate(training: TrainingContext, dataset: Dataset, champion: CrossFitted, candidate: CrossFitted) -> Gate:
    """Return the gate's decision on a candidate."""
    examiner = Examiner(training.open_space, training.registry.artifacts.get, training.labeller, training.seed)
    return judge_candidate(examiner.examine(dataset, champion, candidate))


def _lineage(
    training: TrainingContext, dataset: Dataset, learned: Learned, run_id: str, trained_s: float
) -> dict[str, Any]:
    return {
        "training_run": run_id,
        "data_digest": dataset.digest,
        "data_as_of": dataset.as_of.isoformat(),
        "evidence_change": dataset.change,
        "queries_learned": len({row.query_key for row in dataset.learn}),
        "queries_judged": len({row.query_key for row in dataset.judge}),
        "queries_left_out": dataset.left_out,
        "folds_judging": len(dataset.folds),
        "labels": len(learned.labels),
        "signals": dict(training.signals),
        "features": dict(training.features),
        "code_version": installed_version("clickloop"),
        "seed": training.seed,
        "seconds": round(trained_s, 1),
    }
