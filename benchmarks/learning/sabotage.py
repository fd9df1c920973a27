"""Sabotaged forms of a learned version: each part broken in several ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Manifest
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Version
from retrainer.candidate import TrainingContext, gate_candidate
from retrainer.data.dataset import Dataset
from retrainer.gate.gate import Gate
from retrainer.gate.siblings import CrossFitted, open_siblings
from retrainer.learners.adapter import Judgments, learn_adapter
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.features import FEATURES
from serving.ranking.model import read_memory, write_memory

_RANDOM_STEPS = 100
_NOISE = 0.05
_WEIGHT_NOISE = 5.0
_LOUD = 30.0
"""A weight beside which no other one counts."""

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Lab:
    """An honest candidate and everything it takes to judge others beside it."""

    training: TrainingContext
    dataset: Dataset
    champion: Version
    candidate: Version

    @property
    def artifacts(self) -> ArtifactStore:
        """Where its artifacts are."""
        return self.training.registry.artifacts

    def gate(self, sabotage: Sabotage, seed: list[int]) -> Gate:
        """Return the gate's decision on the candidate, when it and all that stands in for it are sabotaged alike."""
        honest = open_siblings(self.candidate, self.artifacts.get)
        spoilt = CrossFitted(
            sabotage(self, honest.manifest, np.random.default_rng(seed)),
            {fold: sabotage(self, one, np.random.default_rng(seed)) for fold, one in honest.siblings.items()},
        )
        return gate_candidate(self.training, self.dataset, open_siblings(self.champion, self.artifacts.get), spoilt)


Sabotage = Callable[[Lab, Manifest, Random], Manifest]


def shuffle_adapter(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with the dimensions of its adapter's output shuffled."""
    adapter = _adapter(lab, manifest)
    size = len(adapter.bias)
    order, same = random.permutation(size), np.eye(size, dtype=np.float32)
    return _with_adapter(lab, manifest, Adapter((same + adapter.weight)[order] - same, adapter.bias[order]))


def turn_adapter(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version whose adapter moves queries the other way."""
    del random
    adapter = _adapter(lab, manifest)
    return _with_adapter(lab, manifest, Adapter(-adapter.weight, -adapter.bias))


def blur_adapter(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with noise on its adapter, larger than what it learned."""
    adapter = _adapter(lab, manifest)
    noise = random.normal(0, _NOISE, adapter.weight.shape).astype(np.float32)
    return _with_adapter(lab, manifest, Adapter(adapter.weight + noise, adapter.bias))


def learn_noise(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with adapter and residuals learned from clicks on random documents."""
    keys = sorted({row.query_key for row in lab.dataset.learn})
    corpus = lab.training.corpus
    ids = corpus.ids()
    judgments = Judgments(
        queries=lab.training.embed(keys),
        weights=np.ones(len(keys), dtype=np.float32),
        query=np.arange(len(keys)),
        document=random.integers(len(ids), size=len(keys)),
        relevance=np.ones(len(keys), dtype=np.float32),
    )
    vectors = corpus.means([row for name in ids if (row := corpus.row(name)) is not None])
    learned = learn_adapter(judgments, vectors, _RANDOM_STEPS, int(random.integers(2**31)))
    return replace(
        _with_adapter(lab, manifest, learned.adapter),
        residuals=lab.artifacts.put(learned.residuals(ids).to_bytes()),
    )


def swap_residuals(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version whose documents have each other's residuals."""
    residuals = _residuals(lab, manifest)
    return _with_residuals(lab, manifest, residuals.shifts[random.permutation(len(residuals.ids))])


def turn_residuals(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version whose documents move away from the queries that they answer."""
    del random
    return _with_residuals(lab, manifest, -_residuals(lab, manifest).shifts)


def swap_memory(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version that remembers of each query what users of another one chose."""
    choices, change = read_memory(lab.artifacts.get(manifest.memory))
    keys = sorted(choices)
    other = dict(zip(keys, random.permutation(keys).tolist(), strict=True))
    swapped = {key: choices[other[key]] for key in keys}
    return replace(manifest, memory=lab.artifacts.put(write_memory(swapped, change)))


def swap_ids(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with the documents of its residuals and its memory swapped."""
    residuals = _residuals(lab, manifest)
    choices, change = read_memory(lab.artifacts.get(manifest.memory))
    names = sorted({name for chosen in choices.values() for name in chosen} | set(residuals.ids))
    other = dict(zip(names, random.permutation(names).tolist(), strict=True))
    swapped = Residuals(tuple(other[name] for name in residuals.ids), residuals.shifts)
    memory = {key: {other[name]: value for name, value in chosen.items()} for key, chosen in choices.items()}
    return replace(
        manifest,
        residuals=lab.artifacts.put(swapped.to_bytes()),
        memory=lab.artifacts.put(write_memory(memory, change)),
    )


def shuffle_fusion(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with its fusion weights dealt out anew among the features."""
    del lab
    dealt = random.permutation([manifest.weights.get(name, 0.0) for name in FEATURES]).tolist()
    return replace(manifest, weights=dict(zip(FEATURES, dealt, strict=True)))


def blur_fusion(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with noise on its fusion weights."""
    del lab
    noise = random.normal(0, _WEIGHT_NOISE, len(FEATURES)).tolist()
    return replace(
        manifest,
        weights={name: manifest.weights.get(name, 0.0) + off for name, off in zip(FEATURES, noise, strict=True)},
    )


def turn_fusion(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version that ranks what it believes least on top."""
    del lab, random
    return replace(manifest, weights={name: -weight for name, weight in manifest.weights.items()})


def favour_one_retriever(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version with weights that listen to words alone or to meaning alone."""
    del lab
    kept = ("bm25_share",) if random.random() < 0.5 else ("dense_share",)
    return replace(manifest, fusion="linear", weights=dict.fromkeys(kept, 10.0))


def favour_popular(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version that ranks what is popular anywhere first."""
    del lab, random
    return replace(manifest, weights=manifest.weights | {"popular": _LOUD})


def favour_long(lab: Lab, manifest: Manifest, random: Random) -> Manifest:
    """Return a version that ranks long documents first."""
    del lab, random
    return replace(manifest, weights=manifest.weights | {"length": _LOUD})


def _adapter(lab: Lab, manifest: Manifest) -> Adapter:
    return Adapter.from_bytes(lab.artifacts.get(manifest.adapter))


def _with_adapter(lab: Lab, manifest: Manifest, adapter: Adapter) -> Manifest:
    return replace(manifest, adapter=lab.artifacts.put(adapter.to_bytes()))


def _residuals(lab: Lab, manifest: Manifest) -> Residuals:
    return Residuals.from_bytes(lab.artifacts.get(manifest.residuals))


def _with_residuals(lab: Lab, manifest: Manifest, shifts: Floats) -> Manifest:
    moved = Residuals(_residuals(lab, manifest).ids, shifts)
    return replace(manifest, residuals=lab.artifacts.put(moved.to_bytes()))


SABOTAGES: dict[str, Sabotage] = {
    "shuffled adapter": shuffle_adapter,
    "swapped ids": swap_ids,
    "shuffled fusion weights": shuffle_fusion,
    "one retriever only": favour_one_retriever,
    "adapter of random clicks": learn_noise,
    "swapped residuals": swap_residuals,
    "swapped memory": swap_memory,
    "noisy fusion weights": blur_fusion,
    "adapter the other way": turn_adapter,
    "noisy adapter": blur_adapter,
    "residuals the other way": turn_residuals,
    "fusion weights the other way": turn_fusion,
    "popular first": favour_popular,
    "long first": favour_long,
}
"""Ways to spoil a version, by name."""
