"""Every fold judges a sibling that learned as the candidate did and never saw the fold."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
import sqlalchemy as sa

from foundation.clock import SystemClock
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Document, Evidence, Label, Manifest
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry
from retrainer.candidate import TrainingContext, cross_fit, gate_candidate
from retrainer.data.dataset import Dataset, split_dataset
from retrainer.data.splits import join_clusters
from retrainer.gate.siblings import CrossFitted, stand_alone
from serving.index.corpus import Corpus
from serving.index.space import Space
from serving.ranking.model import read_memory
from tests.plain_embedder import PlainEmbedder

DIMENSION = 32
ONCE = (1.0, *(0.0,) * (CURVE_RANKS - 1))
WORDS = [f"{one}{other}" for one in "bdfgklmnprst" for other in ("ar", "el", "is", "on", "ut")]


def embed(texts: list[str]) -> npt.NDArray[np.float32]:
    rows = [
        sum(np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION) for word in text.lower().split())
        for text in texts
    ]
    vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSION)
    unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


class Labeller:
    """Says that clicked documents answer, and remembers what queries it was shown."""

    def __init__(self) -> None:
        self.shown: list[set[str]] = []

    def __call__(
        self, evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        del prior, curve
        self.shown.append({row.query_key for row in evidence})
        return [Label(row.query_key, row.document_id, 1.0, 1.0) for row in evidence], PRIOR_CURVE


@dataclass(frozen=True)
class Trained:
    """A cross-fitted training of few steps: what it was given, what came out, and what labels were asked for."""

    training: TrainingContext
    dataset: Dataset
    found: CrossFitted
    shown: list[set[str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    corpus = Corpus(DIMENSION)
    documents = [Document(word, word, f"all of {word}", change=number) for number, word in enumerate(WORDS, 1)]
    corpus.apply(documents, PlainEmbedder(embed))
    space = cast("Space", SimpleNamespace(embedder=SimpleNamespace(embed_queries=embed, embed=embed), corpus=corpus))
    labeller = Labeller()
    training = TrainingContext(
        registry=Registry(sa.create_engine("sqlite://"), ArtifactStore(str(tmp_path_factory.mktemp("artifacts")))),
        space=space,
        open_space=lambda _: space,
        baseline=Manifest("encoder"),
        labeller=labeller,
        signals={},
        clock=SystemClock(),
        seed=0,
        progress=lambda _: None,
    )
    rows = [Evidence(f"x{word}", word, ONCE, ONCE, users=1) for word in WORDS]
    dataset = split_dataset("default", SystemClock().now(), rows, rows, embed, partial(join_clusters, known={}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrainer.learners.alternation._FINAL_STEPS", 2)
        patch.setattr("retrainer.learners.cross_fitting._DRAFT_STEPS", 1)
        patch.setattr("retrainer.learners.cross_fitting._REDRAFT_STEPS", 1)
        found = cross_fit(training, dataset, Manifest("encoder", adapter="a", memory="m"))
    return Trained(training, dataset, found, list(labeller.shown))


def test_no_sibling_saw_a_cluster_of_its_fold(trained: Trained) -> None:
    folds, clusters = trained.dataset.folds, trained.dataset.clusters
    assert trained.found.siblings.keys() == {fold.number for fold in folds} == set(range(6))
    calls = len(trained.shown) // len(folds)
    for number, fold in enumerate(folds):
        judging = {clusters[row.query_key] for row in fold.judge}
        for shown in trained.shown[number * calls : (number + 1) * calls]:
            assert shown
            assert not judging & {clusters[key] for key in shown}
        sibling = trained.found.siblings[fold.number]
        remembered, _ = read_memory(trained.training.registry.artifacts.get(sibling.memory))
        assert remembered
        assert not judging & {clusters[key] for key in remembered}


def test_the_gate_judges_every_query_once(trained: Trained) -> None:
    candidate = CrossFitted(trained.found.siblings[0], trained.found.siblings)

    gate = gate_candidate(trained.training, trained.dataset, stand_alone(trained.training.baseline), candidate)

    assert gate.metrics["judged"] == len(WORDS)


def test_a_champion_is_not_judged_by_a_fold_that_it_learned_from(trained: Trained) -> None:
    learned = trained.found.siblings[0]

    gate = gate_candidate(
        trained.training, trained.dataset, stand_alone(learned), CrossFitted(learned, trained.found.siblings)
    )

    assert gate.metrics["judged"] == len({row.query_key for row in trained.dataset.folds[0].judge})
