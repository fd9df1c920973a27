"""Learns the fusion weights that every collection starts from, from true labels of other collections.

    python -m benchmarks.learning.priors POSTGRESQL_DOCS BANKING77

takes the folders of collections in BEIR form and prints the weights that stand in `retrainer.learners.priors`.
A collection that the product is measured on must not be among them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.harness.evaluation import EvaluationHarness, open_harness
from foundation.contracts import Evidence, Label
from foundation.settings import Settings
from retrainer.learners.cross_fitting import CrossFitter
from retrainer.learners.fusion import learn_weights, stack_lists
from retrainer.learners.training_set import prepare_training_set
from simulator.collection import read_beir

Floats = npt.NDArray[np.float32]

QUERIES = 200
"""Labelled queries of each collection: about as many as a young collection has clicked."""

_HOLD = 10.0


def learn_prior(worlds: Sequence[EvaluationHarness], seed: int = 0) -> dict[str, float]:
    """Return the weights that rank well in all worlds alike, held toward zero."""
    values: list[Floats] = []
    targets: list[Floats] = []
    for world in worlds:
        rows, wanted, _ = _lists(world, seed)
        values, targets = values + rows, targets + wanted
    stacked = stack_lists(values, targets, np.ones(len(values), dtype=np.float32))
    return {name: round(weight, 2) for name, weight in learn_weights(stacked, {}, _HOLD).items()}


def main() -> None:
    """Print the weights learned on the collections named on the command line."""
    worlds = [open_harness(read_beir(Path(folder)), Settings()) for folder in sys.argv[1:]]
    print(json.dumps(learn_prior(worlds), indent=4))


def _lists(world: EvaluationHarness, seed: int) -> tuple[list[Floats], list[Floats], Floats]:
    """Return the candidate lists of some queries as models saw them that never learned from them."""
    keys = np.random.default_rng(seed).permutation(sorted(world.asked))[:QUERIES].tolist()
    pairs = [(key, name) for key in sorted(keys) for name, grade in world.asked[key].items() if grade > 0]
    labels = [Label(key, name, 1.0 / len(world.asked[key]), 1.0) for key, name in pairs]
    training_set = prepare_training_set([Evidence(key, name, (0.0,), (0.0,)) for key, name in pairs], world.encode)
    fitter = CrossFitter(training_set, world.corpus, seed)
    return fitter.target(fitter.predict(labels), labels)


if __name__ == "__main__":
    main()
