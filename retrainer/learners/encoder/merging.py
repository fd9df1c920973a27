"""Merges fine-tuned weights back towards those before them, so that little of what these knew is forgotten.

The merged weights are the straight line between both (Xiao et al. 2023, arXiv:2311.13534). Where on it is chosen on
queries that were not learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from peft.tuners.lora import LoraLayer
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats
from retrainer.learners.encoder.pairs import TrainingPair

SHARES = (0.0, 0.3, 0.5, 0.7, 1.0)
"""The shares of the fine-tuned weights that are tried; 0 are the weights before."""

Weights = Mapping[str, torch.Tensor]

_JUDGED = 128
_OTHERS = 256
_DEPTH = 10
_SAME = 0.002


def read_weights(model: SentenceTransformer) -> Weights:
    """Return a copy of a model's weights by name; low-rank ones are added to what they change."""
    for module in model.modules():
        if isinstance(module, LoraLayer) and not module.merged:
            module.merge()
    return {
        name.replace(".base_layer", ""): tensor.detach().cpu().clone()
        for name, tensor in model.state_dict().items()
        if ".lora_" not in name
    }


def merge_weights(model: SentenceTransformer, before: Weights, tuned: Weights, share: float) -> None:
    """Set a model's weights to a share of the tuned ones, and the rest of those before."""
    merged = {
        name: torch.lerp(tensor, tuned[name], share) if tensor.is_floating_point() else tensor
        for name, tensor in before.items()
    }
    model.load_state_dict(merged)


def choose_share(quality: Callable[[float], float]) -> tuple[float, dict[float, float]]:
    """Return the best share and the quality of each; of those that are about as good, the smallest."""
    found = {share: quality(share) for share in SHARES}
    enough = max(found.values()) - _SAME
    return min(share for share, value in found.items() if value >= enough), found


def measure_reciprocal_rank(
    encode: Callable[[list[str]], Floats], held: Sequence[TrainingPair], others: Sequence[TrainingPair]
) -> float:
    """Return MRR@10 of held-out queries over their own passages and some of the pairs that were learned from."""
    judged = held[:_JUDGED]
    passages = list(
        dict.fromkeys(text for pair in (*judged, *others[:_OTHERS]) for text in (pair.passage, pair.negative) if text)
    )
    place = {passage: number for number, passage in enumerate(passages)}
    answers: dict[str, set[int]] = {}
    for pair in held:
        if pair.passage in place:
            answers.setdefault(pair.query, set()).add(place[pair.passage])
    queries = sorted({pair.query for pair in judged})
    similarities = encode(queries) @ encode(passages).T
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :_DEPTH]
    ranks = [
        next((rank for rank, number in enumerate(row, start=1) if number in answers[query]), 0)
        for query, row in zip(queries, order.tolist(), strict=True)
    ]
    return float(np.mean([1 / rank if rank else 0.0 for rank in ranks]))
