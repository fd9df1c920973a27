"""Trains one candidate from the present evidence, gates it, and records how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from foundation.arrays import Floats
from foundation.clock import Clock, monotonic_s
from foundation.contracts import Labeller, Manifest
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from retrainer.data.dataset import Dataset
from retrainer.gate.ablation import QUERIES, measure_contributions
from retrainer.gate.comparison import compare
from retrainer.gate.gate import Gate, judge_candidate
from retrainer.learners.alternation import Learned, learn
from retrainer.learners.training_set import prepare_training_set
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.model import load_model, write_memory
from serving.ranking.pipeline import Ranker


@dataclass(frozen=True, slots=True)
class TrainingContext:
    """What training needs of its surroundings.

    Attributes:
        embed: Unit vectors of texts, from the same encoder and cache as serving.
        signals: How much satisfied and dissatisfied users weigh in these labels; kept in the lineage.
    """

    registry: Registry
    corpus: Corpus
    embed: Callable[[list[str]], Floats]
    labeller: Labeller
    signals: Mapping[str, float]
    clock: Clock
    seed: int
    progress: Callable[[str], None]


def train_candidate(training: TrainingContext, dataset: Dataset, champion: Version, run_id: str) -> Version:
    """Return the candidate, to be registered: approved by the gate, or refused with the reason.

    Takes about half a minute for 10,000 clicks on two cores.
    """
    started = monotonic_s()
    training.progress(f"learning from {len({row.query_key for row in dataset.learn})} queries")
    learned = learn(
        prepare_training_set(dataset.learn, training.embed),
        training.corpus,
        training.labeller,
        training.seed,
        progress=training.progress,
    )
    manifest = write_manifest(learned, champion.manifest, dataset.change, training.registry.artifacts)
    trained_s = monotonic_s() - started
    training.progress("gate: ranking held-out queries")
    gate = gate_manifest(training, dataset, champion.manifest, manifest)
    return Version(
        collection=dataset.collection,
        id=manifest.id,
        parent=champion.id,
        status="approved" if gate.passed else "refused",
        reason=gate.reason,
        manifest=manifest,
        lineage=_lineage(training, dataset, learned, run_id, trained_s),
        metrics=gate.metrics,
        created_at=training.clock.now(),
    )


def write_manifest(learned: Learned, parent: Manifest, change: int, artifacts: ArtifactStore) -> Manifest:
    """Store what was learned as artifacts and return the manifest that names them."""
    return replace(
        parent,
        adapter=artifacts.put(learned.adaptation.adapter.to_bytes()),
        residuals=artifacts.put(learned.adaptation.residuals(learned.documents).to_bytes()),
        memory=artifacts.put(write_memory(learned.choices, change)),
        fusion="linear",
        weights={name: round(weight, 6) for name, weight in learned.weights.items()},
        curve=learned.curve,
    )


def gate_manifest(training: TrainingContext, dataset: Dataset, champion: Manifest, candidate: Manifest) -> Gate:
    """Return the gate's decision on a candidate, loaded from its artifacts as a replica would."""
    held_out = _queries(training, {row.query_key for row in dataset.judge})
    comparison = compare(
        _open(training, champion),
        _open(training, candidate),
        held_out,
        dataset.judge,
        training.labeller,
    )
    clicked = sorted({row.query_key for row in dataset.learn if sum(row.clicked) > 0})
    measured = np.random.default_rng(training.seed).permutation(clicked)[:QUERIES].tolist()
    contributions = measure_contributions(
        candidate,
        lambda manifest: _open(training, manifest),
        _queries(training, measured),
        dataset.learn,
    )
    return judge_candidate(comparison, contributions, dataset.clusters, training.seed)


def _queries(training: TrainingContext, keys: Iterable[str]) -> list[Query]:
    asked = sorted(keys)
    return [Query(key, key, vector) for key, vector in zip(asked, training.embed(asked), strict=True)]


def _open(training: TrainingContext, manifest: Manifest) -> Ranker:
    dimension = training.corpus.dense.dimension
    model = load_model(manifest, training.registry.artifacts.get, training.embed, dimension)
    return Ranker(training.corpus, model)


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
        "labels": len(learned.labels),
        "signals": dict(training.signals),
        "code_version": installed_version("clickloop"),
        "seed": training.seed,
        "seconds": round(trained_s, 1),
    }
