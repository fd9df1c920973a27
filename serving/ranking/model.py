"""A version in memory: everything of a manifest that ranks, loaded and immutable."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import PRIOR_CURVE, ClickCurve, Manifest, query_key
from serving.index.fields.normalised import is_of_fields
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.tower.static_tower import StaticTower


@dataclass(frozen=True, slots=True)
class RankingModel:
    """What one version knows.

    Attributes:
        memory: Past queries as of training.
        memory_change: Last change of the evidence that `memory` includes; later evidence is live.
        weights: Weights by feature name, for the linear fusion.
        curve: Click curve that turns a query's clicks into its click boost.
        encoder: Name of the encoder under which it ranks; "" for the one at hand.
        tower: Its static tower, None without one.
        fields: Columns of documents' fields among its features, see `serving.index.fields.normalised`.
    """

    memory: QueryMemory
    adapter: Adapter | None = None
    residuals: Residuals | None = None
    memory_change: int = 0
    fusion: Literal["convex", "rrf", "linear"] = "convex"
    weights: dict[str, float] = field(default_factory=dict)
    curve: ClickCurve = PRIOR_CURVE
    encoder: str = ""
    tower: StaticTower | None = None
    fields: tuple[str, ...] = ()


def load_model(
    manifest: Manifest, fetch: Callable[[str], bytes], encode: Callable[[list[str]], Floats], dimension: int
) -> RankingModel:
    """Return the model of a manifest.

    Args:
        fetch: Returns an artifact's bytes by digest; its errors pass through.
        encode: Unit vectors of texts, for the memory's queries.

    Raises:
        ArtifactDamaged: An artifact is not what the manifest says.
    """
    past, change = read_memory(fetch(manifest.memory)) if manifest.memory else ({}, 0)
    vectors = encode(list(past)) if past else np.zeros((0, dimension), dtype=np.float32)
    remembered = [Remembered(key, vector, past[key]) for key, vector in zip(past, vectors, strict=True)]
    return RankingModel(
        memory=QueryMemory(remembered, dimension),
        adapter=Adapter.from_bytes(fetch(manifest.adapter)) if manifest.adapter else None,
        residuals=Residuals.from_bytes(fetch(manifest.residuals)) if manifest.residuals else None,
        memory_change=change,
        fusion=manifest.fusion,
        weights=manifest.weights,
        curve=manifest.curve,
        encoder=manifest.encoder,
        tower=StaticTower.from_bytes(fetch(manifest.tower)) if manifest.tower else None,
        fields=tuple(name for name in manifest.weights if is_of_fields(name)),
    )


def write_memory(choices: dict[str, dict[str, float]], change: int) -> bytes:
    """Return the memory artifact: relevance by query key and document id, as of `change`."""
    rounded = {key: {name: round(value, 4) for name, value in chosen.items()} for key, chosen in choices.items()}
    return json.dumps({"change": change, "choices": rounded}, sort_keys=True, ensure_ascii=False).encode()


def read_memory(content: bytes) -> tuple[dict[str, dict[str, float]], int]:
    """Return the choices and the change number that `write_memory` wrote.

    An earlier release may have written keys in another form. What is now one query has the choices of all its keys.
    """
    stored = json.loads(content)
    choices: dict[str, dict[str, float]] = {}
    for key, chosen in stored["choices"].items():
        same = choices.setdefault(query_key(key), {})
        same.update({name: max(value, same.get(name, 0.0)) for name, value in chosen.items()})
    return choices, int(stored["change"])
