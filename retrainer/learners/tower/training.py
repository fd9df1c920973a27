"""Learns one vector for each word piece, by the loss of the adapter: a softmax over documents at temperature 0.05.

Only the pieces that a step sees move, so a step takes milliseconds however large the vocabulary is.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from foundation.arrays import Floats, Ints
from retrainer.learners.adapter import Judgments

_TEMPERATURE = 0.05
_LEARNING_RATE = 0.01
_BATCH = 128
_OTHERS = 256
_EPOCHS = 3
_MIN_STEPS = 60


def learn_table(table: Floats, queries: csr_array, documents: csr_array, judgments: Judgments, seed: int) -> Floats:
    """Return the table under which queries are nearest to the documents that answer them.

    Args:
        table: Where to start, float32 of shape (pieces, dimension).
        queries: Shares of pieces of the judged queries, by their numbers.
        documents: The same of all documents.
    """
    if not len(judgments.queries):
        return table
    generator = np.random.default_rng(seed)
    bag = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(table.copy()), freeze=False, mode="sum", sparse=True)
    steps = max(_MIN_STEPS, _EPOCHS * len(judgments.queries) // _BATCH)
    optimizer: torch.optim.Optimizer = torch.optim.SparseAdam(list(bag.parameters()), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = np.argsort(judgments.query, kind="stable")
    starts = np.searchsorted(judgments.query[order], np.arange(len(judgments.queries) + 1))
    waiting: Ints = np.zeros(0, np.int64)
    for _ in range(steps):
        if len(waiting) < min(_BATCH, len(judgments.queries)):
            waiting = generator.permutation(len(judgments.queries))
        batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
        pairs = np.concatenate([order[starts[query] : starts[query + 1]] for query in batch.tolist()])
        target = judgments.relevance[pairs] * judgments.weights[judgments.query[pairs]]
        seen = _draw(judgments.document[pairs], documents.shape[0], generator)
        likelihood = torch.log_softmax(_embed(bag, queries, batch) @ _embed(bag, documents, seen).T / _TEMPERATURE, 1)
        where = np.argsort(batch)[np.searchsorted(np.sort(batch), judgments.query[pairs])]
        reached = likelihood[
            torch.from_numpy(where), torch.from_numpy(np.searchsorted(seen, judgments.document[pairs]))
        ]
        loss = -(torch.from_numpy(target) * reached).sum() / float(target.sum())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    learned: Floats = bag.weight.detach().numpy()
    return learned


def _draw(wanted: Ints, count: int, generator: np.random.Generator) -> Ints:
    """Return the numbers of the documents that a step compares: those that answer, and some others, sorted."""
    return np.union1d(wanted, generator.choice(count, min(count, _OTHERS), replace=False))


def _embed(bag: torch.nn.EmbeddingBag, shares: csr_array, rows: Ints) -> torch.Tensor:
    some = shares[rows]
    vectors: torch.Tensor = bag(
        torch.from_numpy(some.indices.astype(np.int64)),
        torch.from_numpy(some.indptr[:-1].astype(np.int64)),
        per_sample_weights=torch.from_numpy(some.data),
    )
    return torch.nn.functional.normalize(vectors, dim=1)
