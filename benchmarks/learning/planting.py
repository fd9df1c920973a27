"""Versions to plant: damaged forms of a learned one, sharper, noisier, forgetful, one retriever only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Floats
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel

Random = np.random.Generator

_FUSIONS = ((10, 50), (6, 24), (24, 6), (50, 10), (10, 0), (0, 10))
"""Weights of words and of meaning; production's are alike."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A damaged form of a learned version.

    Attributes:
        part: What of the version it changes.
        grow: Makes it.
    """

    part: str
    grow: Callable[[RankingModel, Random], RankingModel]


def plant(learned: RankingModel, untaught: RankingModel, seed: int) -> Iterator[tuple[str, RankingModel]]:
    """Yield versions of many kinds by name: other fusions of what is untaught, and damaged forms of what is learned."""
    for words, meaning in _FUSIONS:
        weights = {"bm25_share": float(words), "dense_share": float(meaning)}
        yield f"fusion {words}:{meaning}", replace(untaught, fusion="linear", weights=weights)
    for number, (name, one) in enumerate(PLANTS.items()):
        if one.part == "fusion" or getattr(learned, one.part) is not None:
            yield name, one.grow(learned, np.random.default_rng([seed, number]))


def _scale_weights(learned: RankingModel, factor: float) -> RankingModel:
    return replace(learned, weights={name: factor * weight for name, weight in learned.weights.items()})


def _blur_weights(learned: RankingModel, random: Random, noise: float) -> RankingModel:
    return replace(
        learned, weights={name: one + noise * float(random.normal()) for name, one in learned.weights.items()}
    )


def _shuffle_weights(learned: RankingModel, random: Random) -> RankingModel:
    dealt: list[float] = random.permutation(list(learned.weights.values())).tolist()
    return replace(learned, weights=dict(zip(learned.weights, dealt, strict=True)))


def _blur_adapter(learned: RankingModel, random: Random, noise: float) -> RankingModel:
    whole = _adapter(learned)
    moved = whole.weight + random.normal(0, noise, whole.weight.shape).astype(np.float32)
    return replace(learned, adapter=Adapter(moved, whole.bias))


def _shuffle_adapter(learned: RankingModel, random: Random) -> RankingModel:
    whole = _adapter(learned)
    order, same = random.permutation(len(whole.bias)), np.eye(len(whole.bias), dtype=np.float32)
    shuffled: Floats = (same + whole.weight)[order] - same
    return replace(learned, adapter=Adapter(shuffled, whole.bias[order]))


def _without_memory(learned: RankingModel, random: Random) -> RankingModel:
    del random
    return replace(learned, memory=QueryMemory([], len(_adapter(learned).bias)))


def _swap_memory(learned: RankingModel, random: Random) -> RankingModel:
    past = learned.memory.past
    order = random.permutation(len(past)).tolist()
    swapped = [Remembered(one.key, one.vector, past[other].choices) for one, other in zip(past, order, strict=True)]
    return replace(learned, memory=QueryMemory(swapped, len(_adapter(learned).bias)))


def _swap_residuals(learned: RankingModel, random: Random) -> RankingModel:
    whole = _residuals(learned)
    return replace(learned, residuals=Residuals(whole.ids, whole.shifts[random.permutation(len(whole.ids))]))


def _scale_residuals(learned: RankingModel, factor: float) -> RankingModel:
    whole = _residuals(learned)
    return replace(learned, residuals=Residuals(whole.ids, whole.shifts * np.float32(factor)))


def _adapter(learned: RankingModel) -> Adapter:
    if learned.adapter is None:
        raise ValueError("the learned version has no adapter")
    return learned.adapter


def _residuals(learned: RankingModel) -> Residuals:
    if learned.residuals is None:
        raise ValueError("the learned version has no residuals")
    return learned.residuals


PLANTS = {
    "scores doubled": Plant("fusion", lambda learned, _: _scale_weights(learned, 2.0)),
    "weights off by .5": Plant("fusion", lambda learned, random: _blur_weights(learned, random, 0.5)),
    "weights off by 2": Plant("fusion", lambda learned, random: _blur_weights(learned, random, 2.0)),
    "weights shuffled": Plant("fusion", _shuffle_weights),
    "adapter off by .02": Plant("adapter", lambda learned, random: _blur_adapter(learned, random, 0.02)),
    "adapter off by .05": Plant("adapter", lambda learned, random: _blur_adapter(learned, random, 0.05)),
    "adapter shuffled": Plant("adapter", _shuffle_adapter),
    "memory empty": Plant("memory", _without_memory),
    "memory swapped": Plant("memory", _swap_memory),
    "residuals left out": Plant("residuals", lambda learned, _: replace(learned, residuals=None)),
    "residuals swapped": Plant("residuals", _swap_residuals),
    "residuals tripled": Plant("residuals", lambda learned, _: _scale_residuals(learned, 3.0)),
}
"""Damaged forms of a learned version, by name."""
