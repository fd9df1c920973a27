"""Measures of runs, and which differences between systems are more than chance (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import ir_measures
import numpy as np
from ir_measures import AP, RR, P, R, nDCG

from clickloop.evaluation.run_files import Run
from foundation.arrays import Doubles
from foundation.errors import InvalidRequest
from foundation.statistics import bootstrap_interval

Judgments = Mapping[str, Mapping[str, int]]

MEASURES = (nDCG @ 10, RR @ 10, AP, P @ 10, R @ 10, R @ 100)
"""What is measured where nothing else is asked for."""

COMPARED_BY = nDCG @ 10
"""The measure that systems are compared by, whatever else is measured."""

_KINDS = {kind.NAME for kind in (nDCG, RR, AP, P, R)}
_EXAMPLES = "take nDCG@10, RR@10, AP, P@5 or R@50, with any number behind @"
_DRAWS = 10_000
_MIN_CHANGE = 0.01


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system reached: the mean of each measure, in the order asked for, and nDCG@10 by query id."""

    means: dict[str, float]
    ndcg: dict[str, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """One system against another, in nDCG@10 by query.

    Attributes:
        gain: Mean of the first less the second.
        low: Lower end of its 95% interval (bootstrap over queries).
        high: Upper end.
        p_value: Of the two-sided paired randomisation test (Smucker et al., CIKM 2007).
        corrected: The same after Holm's correction for all pairs compared.
        wins: Queries that the first ranks better by more than 0.01.
        losses: Queries that it ranks worse.
    """

    first: str
    second: str
    gain: float
    low: float
    high: float
    p_value: float
    corrected: float
    wins: int
    losses: int


def parse_measures(written: str, depth: int) -> tuple[Any, ...]:
    """Return the measures that a comma-separated list names as ir-measures does.

    Raises:
        InvalidRequest: A name is none of nDCG, RR, AP, P and R, or looks deeper than `depth` results.
    """
    return tuple(dict.fromkeys(_parse(name.strip(), depth) for name in written.split(",")))


def _parse(name: str, depth: int) -> Any:
    try:
        found = ir_measures.parse_measure(name)
    except (NameError, ValueError) as problem:
        raise InvalidRequest(f"there is no measure {name!r}; {_EXAMPLES}") from problem
    cutoff = found.params.get("cutoff", 0 if found.NAME in {"P", "R"} else 1)
    if found.NAME not in _KINDS or cutoff < 1:
        raise InvalidRequest(f"{name!r} is not measured; {_EXAMPLES}")
    if cutoff > depth:
        raise InvalidRequest(f"{name} looks deeper than the {depth} results of a query; ask for more with --depth")
    return found


def measure(judgments: Judgments, run: Run, measures: Sequence[Any] = MEASURES) -> Measured:
    """Return the measures of a run by trec_eval's definitions; judged queries without results score 0."""
    asked = {query: dict(grades) for query, grades in judgments.items()}
    answered = {query: scores for query, scores in run.items() if scores and query in asked}
    sums = {str(measure): 0.0 for measure in (*measures, COMPARED_BY)}
    ndcg = dict.fromkeys(asked, 0.0)
    for found in ir_measures.iter_calc({*measures, COMPARED_BY}, asked, answered) if answered else ():
        sums[str(found.measure)] += float(found.value)
        if found.measure == COMPARED_BY:
            ndcg[found.query_id] = float(found.value)
    return Measured({str(measure): sums[str(measure)] / max(1, len(asked)) for measure in measures}, ndcg)


def compare_all(measured: Mapping[str, Measured], seed: int) -> list[Difference]:
    """Return every pair of systems, the better one first, with p-values corrected for all pairs."""
    pairs = [_order(measured, one, other) for one, other in combinations(measured, 2)]
    changes = [_change(measured[first], measured[second]) for first, second in pairs]
    p_values = [randomisation_p_value(change, seed) for change in changes]
    corrected = holm(p_values)
    return [
        Difference(
            first,
            second,
            float(change.mean()),
            *bootstrap_interval(change, confidence=0.95, seed=seed),
            p_value,
            adjusted,
            wins=int((change > _MIN_CHANGE).sum()),
            losses=int((change < -_MIN_CHANGE).sum()),
        )
        for (first, second), change, p_value, adjusted in zip(pairs, changes, p_values, corrected, strict=True)
    ]


def randomisation_p_value(change: Doubles, seed: int) -> float:
    """Return how often random signs of the changes give a mean as far from 0, two-sided; never 0."""
    random = np.random.default_rng(seed)
    moved = change[change != 0]
    signs = random.integers(0, 2, (_DRAWS, len(moved)), dtype=np.int8) * 2 - 1
    extreme = np.abs(signs @ moved) >= abs(moved.sum()) - 1e-12
    return float((extreme.sum() + 1) / (_DRAWS + 1))


def holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected by Holm's step-down method (Scandinavian Journal of Statistics 6, 1979)."""
    order = np.argsort(p_values)
    scaled = np.array(p_values)[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in corrected]


def _order(measured: Mapping[str, Measured], one: str, other: str) -> tuple[str, str]:
    return (one, other) if sum(measured[one].ndcg.values()) >= sum(measured[other].ndcg.values()) else (other, one)


def _change(first: Measured, second: Measured) -> Doubles:
    return np.array([first.ndcg[query] - second.ndcg[query] for query in sorted(first.ndcg)])
