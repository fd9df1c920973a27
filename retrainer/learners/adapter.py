"""Learns the query adapter and the document residuals from labels, without touching any text.

The loss is a full softmax over the documents at temperature 0.05. Both towers move: a query by a residual matrix that
starts at zero, a document with evidence by a small vector of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from foundation.arrays import Floats, Ints
from serving.ranking.adaptation import Adapter, Residuals

_TEMPERATURE = 0.05
_LEARNING_RATE = 1e-3
_ADAPTER_DECAY = 1e-3
_RESIDUAL_DECAY = 3e-3
_BATCH = 192
_MAX_DOCUMENTS = 512


@dataclass(frozen=True, slots=True)
class Judgments:
    """Labels of some queries as arrays.

    Attributes:
        queries: Unit vectors, float32 of shape (q, dimension).
        weights: Weight of each query, shape (q,).
        query: Query number of each judged pair, shape (p,).
        document: Document number of each judged pair, shape (p,).
        relevance: Relevance of each judged pair in [0, 1], shape (p,).
        keys: Key of each query.
    """

    queries: Floats
    weights: Floats
    query: Ints
    document: Ints
    relevance: Floats
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What was learned, over document numbers.

    Attributes:
        documents: Numbers of the documents that moved.
        shifts: Their shifts, float32 of shape (len(documents), dimension).
    """

    adapter: Adapter
    documents: Ints
    shifts: Floats

    def residuals(self, ids: list[str]) -> Residuals:
        """Return the shifts by document id."""
        return Residuals(tuple(ids[place] for place in self.documents.tolist()), self.shifts)


def learn_adapter(
    judgments: Judgments, documents: Floats, steps: int, seed: int, start: Adaptation | None = None
) -> Adaptation:
    """Return the adapter and residuals that rank the relevant documents of `judgments` first.

    Deterministic for a seed on one machine. Takes about 10 ms a step.

    Args:
        documents: Unit vectors of all documents, float32 of shape (n, dimension). Above 512 of
            them, each step sees those of its batch and a random sample of the others.
        steps: Steps of Adam; the learning rate falls to 0 along a cosine.
        start: Where to start from, of the same documents; from nothing when None.
    """
    generator = np.random.default_rng(seed)
    moved, place = np.unique(judgments.document, return_inverse=True)
    size = documents.shape[1]
    weight, bias, shifts = _parameters(moved, size, start)
    steps = steps if len(judgments.queries) else 0
    optimizer = torch.optim.Adam([weight, bias, shifts], lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    table = torch.from_numpy(documents)
    pairs = _Pairs(judgments, place)
    for _ in range(steps):
        batch = pairs.draw(generator)
        vectors, targets = _documents_of(batch, table, shifts, moved, generator)
        queries = torch.from_numpy(judgments.queries[batch.queries])
        queries = torch.nn.functional.normalize(queries + queries @ weight.T + bias, dim=1)
        likelihood = torch.log_softmax(queries @ vectors.T / _TEMPERATURE, dim=1)
        rows = torch.from_numpy(batch.row)
        loss = -(torch.from_numpy(batch.target) * likelihood[rows, targets]).sum() / float(batch.mass)
        loss = loss + _ADAPTER_DECAY * weight.square().sum() + _RESIDUAL_DECAY * shifts.square().sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    return Adaptation(Adapter(weight.detach().numpy(), bias.detach().numpy()), moved, shifts.detach().numpy())


def _parameters(moved: Ints, size: int, start: Adaptation | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return matrix, bias and shifts of the moved documents, to be learned."""
    shifts = np.zeros((len(moved), size), dtype=np.float32)
    if start is None:
        weight, bias = np.zeros((size, size), dtype=np.float32), np.zeros(size, dtype=np.float32)
    else:
        weight, bias = start.adapter.weight.copy(), start.adapter.bias.copy()
        _, here, there = np.intersect1d(moved, start.documents, return_indices=True)
        shifts[here] = start.shifts[there]
    weights, biases, rows = (torch.from_numpy(array).requires_grad_() for array in (weight, bias, shifts))
    return weights, biases, rows


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some queries and their judged pairs."""

    queries: Ints
    row: Ints
    document: Ints
    place: Ints
    target: Floats
    mass: float


class _Pairs:
    """Judged pairs by query, from which batches are drawn."""

    def __init__(self, judgments: Judgments, place: Ints) -> None:
        order = np.argsort(judgments.query, kind="stable")
        self._judgments = judgments
        self._document = judgments.document[order]
        self._place = place[order]
        self._relevance = judgments.relevance[order]
        count = len(judgments.queries)
        self._starts = np.searchsorted(judgments.query[order], np.arange(count + 1))
        self._waiting: Ints = np.zeros(0, dtype=np.int64)

    def draw(self, generator: np.random.Generator) -> _Batch:
        """Return the next batch of a random pass over the queries."""
        if len(self._waiting) == 0:
            self._waiting = generator.permutation(len(self._judgments.queries))
        queries, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        spans = [np.arange(self._starts[query], self._starts[query + 1]) for query in queries.tolist()]
        rows = np.repeat(np.arange(len(queries)), [len(span) for span in spans])
        pairs = np.concatenate(spans)
        target = self._relevance[pairs] * self._judgments.weights[queries][rows]
        return _Batch(
            queries, rows, self._document[pairs], self._place[pairs], target.astype(np.float32), float(target.sum())
        )


def _documents_of(
    batch: _Batch, table: torch.Tensor, shifts: torch.Tensor, moved: Ints, generator: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the vectors that a batch competes over, shifted, and the place of each target in them."""
    count = len(table)
    if count <= _MAX_DOCUMENTS:
        vectors = table.index_add(0, torch.from_numpy(moved), shifts)
        return torch.nn.functional.normalize(vectors, dim=1), torch.from_numpy(batch.document)
    sample = np.union1d(generator.choice(count, _MAX_DOCUMENTS, replace=False), batch.document)
    inside = np.flatnonzero(np.isin(moved, sample))
    where = np.searchsorted(sample, moved[inside])
    vectors = table[torch.from_numpy(sample)].index_add(0, torch.from_numpy(where), shifts[torch.from_numpy(inside)])
    targets = torch.from_numpy(np.searchsorted(sample, batch.document))
    return torch.nn.functional.normalize(vectors, dim=1), targets
