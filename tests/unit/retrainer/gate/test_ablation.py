"""A candidate whose parts do not know what they were taught is found out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from foundation.contracts import CURVE_RANKS, Document, Evidence, Manifest
from retrainer.gate.ablation import Worth, rehearse
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
class School:
    """Queries that share no word with their documents, and what was learned of them."""

    corpus: Corpus = field(default_factory=lambda: Corpus(SIZE))
    queries: list[Query] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    model: RankingModel = field(default_factory=lambda: RankingModel(QueryMemory([], SIZE)))

    def load(self, manifest: Manifest) -> Ranker:
        """Return the learned model with the parts that the manifest names."""
        kept = self.model
        if not manifest.adapter:
            kept = replace(kept, adapter=None)
        if not manifest.residuals:
            kept = replace(kept, residuals=None)
        return Ranker(self.corpus, kept)

    def worth(self) -> dict[str, Worth]:
        """Return what each part of the model is worth."""
        manifest = Manifest("encoder", adapter="a", residuals="r", memory="m", fusion="linear", weights=WEIGHTS)
        return rehearse(manifest, self.load, self.queries, self.evidence)


@pytest.fixture
def school() -> School:
    """A school whose adapter maps each query halfway to its document, and whose residuals do the rest."""
    random = np.random.default_rng(0)
    vectors = np.eye(SIZE, dtype=np.float32)
    school = School()
    half = SIZE // 2
    names = [f"document {number}" for number in range(half)]
    school.corpus.apply(
        [Document(name, name, "text", change=number) for number, name in enumerate(names, 1)],
        PlainEmbedder(lambda _: vectors[:half]),
    )
    weight = np.zeros((SIZE, SIZE), dtype=np.float32)
    weight[np.arange(half), half + np.arange(half)] = 1.0
    shown = (6.0, *[0.0] * (CURVE_RANKS - 1))
    for number, name in enumerate(names):
        key = f"query {number}"
        school.queries.append(Query(key, key, vectors[half + number]))
        school.evidence.append(Evidence(key, name, shown, shown, users=6))
    past = [Remembered(query.key, query.vector, {name: 1.0}) for query, name in zip(school.queries, names, strict=True)]
    shifts = vectors[half:] * random.uniform(0.4, 0.6, (half, 1)).astype(np.float32)
    school.model = RankingModel(
        QueryMemory(past, SIZE),
        Adapter(weight, np.zeros(SIZE, dtype=np.float32)),
        Residuals(tuple(names), shifts),
        fusion="linear",
        weights=WEIGHTS,
    )
    return school


def turned(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names[1:], names[0])


def test_every_part_that_learned_is_worth_something(school: School) -> None:
    worth = school.worth()
    assert worth.keys() == {"adapter", "residuals", "memory"}
    assert all(part.proven for part in worth.values())


def test_a_shuffled_adapter_is_worth_nothing(school: School) -> None:
    adapter = school.model.adapter
    assert adapter is not None
    school.model = replace(school.model, adapter=Adapter(np.roll(adapter.weight, 1, axis=0), adapter.bias))
    assert not school.worth()["adapter"].proven


def test_swapped_ids_are_found_in_residuals_and_memory(school: School) -> None:
    residuals, past = school.model.residuals, school.model.memory.past
    assert residuals is not None
    other = dict(zip(residuals.ids, turned(residuals.ids), strict=True))
    swapped = [replace(query, choices={other[name]: 1.0 for name in query.choices}) for query in past]
    school.model = replace(
        school.model,
        residuals=Residuals(turned(residuals.ids), residuals.shifts),
        memory=QueryMemory(swapped, SIZE),
    )
    worth = school.worth()
    assert not worth["residuals"].proven
    assert not worth["memory"].proven


def test_a_part_that_is_absent_is_not_rehearsed(school: School) -> None:
    manifest = Manifest("encoder", fusion="linear", weights=WEIGHTS)
    assert rehearse(manifest, school.load, school.queries, school.evidence) == {}


def test_worth_needs_more_than_one_query_and_more_than_luck() -> None:
    assert not Worth.of(np.array([])).proven
    assert not Worth.of(np.array([5.0])).proven
    assert not Worth.of(np.array([4.0, -3.0, 0.5, 0.1])).proven
    assert Worth.of(np.array([0.4, 0.5, 0.6])).proven
