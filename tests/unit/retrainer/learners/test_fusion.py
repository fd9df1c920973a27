from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax

from retrainer.learners.fusion import learn_weights, stack_lists
from serving.ranking.features import COLUMN, FEATURES, NEVER_HARMFUL

PRIOR = dict.fromkeys(FEATURES, 0.0)


def make_lists(queries: int, seed: int = 0) -> tuple[list[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]:
    """Return lists whose relevant document was drawn from a softmax of weight 4 on the first feature."""
    random = np.random.default_rng(seed)
    values, targets = [], []
    for _ in range(queries):
        rows = random.random((int(random.integers(5, 12)), len(FEATURES))).astype(np.float32)
        target = np.zeros(len(rows), dtype=np.float32)
        target[random.choice(len(rows), p=softmax(4.0 * rows[:, 0].astype(float)))] = 1
        values.append(rows)
        targets.append(target)
    return values, targets


def learn(queries: int, prior: dict[str, float]) -> dict[str, float]:
    values, targets = make_lists(queries)
    return learn_weights(stack_lists(values, targets, np.ones(queries, dtype=np.float32)), prior)


def test_the_weights_that_made_the_choices_are_found() -> None:
    weights = learn(3000, PRIOR)

    assert weights[FEATURES[0]] == pytest.approx(4.0, abs=0.4)
    assert weights[FEATURES[1]] == pytest.approx(0.0, abs=0.4)


def test_few_lists_leave_the_weights_near_the_prior() -> None:
    prior = PRIOR | {FEATURES[3]: 5.0}

    few, many = learn(5, prior), learn(5000, prior)

    assert few[FEATURES[3]] > 2.0
    assert abs(many[FEATURES[3]]) < 1.0


def test_padding_changes_nothing() -> None:
    values, targets = make_lists(40)
    lists = stack_lists(values, targets, np.ones(40, dtype=np.float32))
    garbage = replace(lists, values=np.where(lists.present[..., None], lists.values, np.float32(7)))

    assert learn_weights(garbage, PRIOR) == learn_weights(lists, PRIOR)


def test_a_query_of_weight_zero_teaches_nothing() -> None:
    values, targets = make_lists(30)
    silent = stack_lists(values, targets, np.zeros(30, dtype=np.float32))

    assert learn_weights(silent, PRIOR | {"dense": 2.0}) == pytest.approx(PRIOR | {"dense": 2.0})


@pytest.mark.parametrize("name", NEVER_HARMFUL)
def test_what_similar_queries_chose_is_never_weighed_below_zero(name: str) -> None:
    values, targets = make_lists(300)
    for rows, target in zip(values, targets, strict=True):
        rows[:, COLUMN[name]] = 1 - target  # as if the memory recalled what is popular, and never the answer

    weights = learn_weights(stack_lists(values, targets, np.ones(300, dtype=np.float32)), PRIOR | {name: -1.0})

    assert weights[name] == 0


def test_columns_of_fields_are_learned_beside_the_features() -> None:
    values, targets = make_lists(2000)
    wider = [np.hstack([np.zeros_like(rows), rows[:, :1]]) for rows in values]
    names = (*FEATURES, "number:price")

    weights = learn_weights(stack_lists(wider, targets, np.ones(2000, dtype=np.float32), names), PRIOR)

    assert weights["number:price"] == pytest.approx(4.0, abs=0.5)
    assert weights["dense"] == pytest.approx(0.0, abs=1e-6)
