"""A candidate whose parts do not know what they were taught is found out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from foundation.contracts import CURVE_RANKS, Document, Evidence, Manifest
from retrainer.gate.ablation import Contribution, measure_contributions
from retrainer.learners.caution import PRODUCTION_WEIGHTS
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from tests.plain_embedder import PlainEmbedder

SIZE = 24
WEIGHTS = {"adapted_mean": 12.0}
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass
class CrossFitter:
    """Queries half of whose words name another document than the one that answers, and what was learned of them."""

    corpus: Corpus = field(default_factory=lambda: Corpus(SIZE))
    queries: list[Query] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    model: RankingModel = field(default_factory=lambda: RankingModel(QueryMemory([], SIZE)))

    def load(self, manifest: Manifest) -> Ranker:
        """Return the learned model with the parts that the manifest names."""
        kept = replace(self.model, weights=manifest.weights)
        if not manifest.adapter:
            kept = replace(kept, adapter=None)
        if not manifest.residuals:
            kept = replace(kept, residuals=None)
        return Ranker(self.corpus, kept)

    def worth(self) -> dict[str, Contribution]:
        """Return what each part of the model is worth."""
        manifest = Manifest(
            "encoder", adapter="a", residuals="r", memory="m", fusion="linear", weights=self.model.weights
        )
        return measure_contributions(manifest, self.load, self.queries, self.evidence)


@pytest.fixture
def fitter() -> CrossFitter:
    """A fitter whose adapter maps each query halfway to its document, and whose residuals do the rest."""
    random = np.random.default_rng(0)
    vectors = np.eye(SIZE, dtype=np.float32)
    fitter = CrossFitter()
    half = SIZE // 2
    names = [f"document {number}" for number in range(half)]
    fitter.corpus.apply(
        [Document(name, name, "text", change=number) for number, name in enumerate(names, 1)],
        PlainEmbedder(lambda _: vectors[:half]),
    )
    weight = np.zeros((SIZE, SIZE), dtype=np.float32)
    weight[np.arange(half), half + np.arange(half)] = 1.0
    shown = (6.0, *[0.0] * (CURVE_RANKS - 1))
    for number, name in enumerate(names):
        key = f"document {(number + 2 * (number % 2)) % half}"
        fitter.queries.append(Query(key, key, vectors[half + number]))
        fitter.evidence.append(Evidence(key, name, shown, shown, users=6))
    past = [Remembered(query.key, query.vector, {name: 1.0}) for query, name in zip(fitter.queries, names, strict=True)]
    shifts = vectors[half:] * random.uniform(0.4, 0.6, (half, 1)).astype(np.float32)
    fitter.model = RankingModel(
        QueryMemory(past, SIZE),
        Adapter(weight, np.zeros(SIZE, dtype=np.float32)),
        Residuals(tuple(names), shifts),
        fusion="linear",
        weights=WEIGHTS,
    )
    return fitter


def turned(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names[1:], names[0])


def test_every_part_that_learned_is_worth_something(fitter: CrossFitter) -> None:
    worth = fitter.worth()
    assert worth.keys() == {"adapter", "residuals", "memory", "fusion"}
    assert all(part.proven for part in worth.values())


def test_a_shuffled_adapter_is_worth_nothing(fitter: CrossFitter) -> None:
    adapter = fitter.model.adapter
    assert adapter is not None
    fitter.model = replace(fitter.model, adapter=Adapter(np.roll(adapter.weight, 1, axis=0), adapter.bias))
    assert not fitter.worth()["adapter"].proven


def test_swapped_ids_are_found_in_residuals_and_memory(fitter: CrossFitter) -> None:
    residuals, past = fitter.model.residuals, fitter.model.memory.past
    assert residuals is not None
    other = dict(zip(residuals.ids, turned(residuals.ids), strict=True))
    swapped = [replace(query, choices={other[name]: 1.0 for name in query.choices}) for query in past]
    fitter.model = replace(
        fitter.model,
        residuals=Residuals(turned(residuals.ids), residuals.shifts),
        memory=QueryMemory(swapped, SIZE),
    )
    worth = fitter.worth()
    assert not worth["residuals"].proven
    assert not worth["memory"].proven


@pytest.mark.parametrize("weights", [{"adapted_mean": -12.0}, {"bm25_share": 10.0}, {"length": 3.0}])
def test_fusion_weights_that_clicks_do_not_speak_for_are_worth_nothing(
    fitter: CrossFitter, weights: dict[str, float]
) -> None:
    fitter.model = replace(fitter.model, weights=weights)
    assert not fitter.worth()["fusion"].proven


def test_sharper_fusion_weights_are_worth_as_much(fitter: CrossFitter) -> None:
    once = fitter.worth()["fusion"]
    fitter.model = replace(fitter.model, weights={name: 3 * weight for name, weight in WEIGHTS.items()})
    assert fitter.worth()["fusion"].mean == pytest.approx(once.mean, abs=1e-6)


def test_a_part_that_is_absent_is_not_measured(fitter: CrossFitter) -> None:
    manifest = Manifest("encoder", fusion="linear", weights=PRODUCTION_WEIGHTS)
    assert measure_contributions(manifest, fitter.load, fitter.queries, fitter.evidence) == {}


def test_worth_needs_more_than_one_query_and_more_than_luck() -> None:
    assert not Contribution.of(np.array([])).proven
    assert not Contribution.of(np.array([5.0])).proven
    assert not Contribution.of(np.array([4.0, -3.0, 0.5, 0.1])).proven
    assert Contribution.of(np.array([0.4, 0.5, 0.6])).proven
