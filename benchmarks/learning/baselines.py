"""Labels from clicks by other ways, to compare with the posteriors that clickloop learns from."""

from __future__ import annotations

import numpy as np

from collector.click_models.intervention_harvesting import PRIOR, assign_folds, harvest_interventions
from collector.click_models.labels import label
from foundation.contracts import PRIOR_CURVE, ClickCurve, Evidence, Label

_ASSUMED_STEEPNESS = 0.75
_PSEUDO_EXAMINATIONS = 3.0
_MIN_RELEVANCE = 0.02


def label_by_rate(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    """Return plain click rates as labels, each query weighed by the root of its clicks."""
    del prior
    clicks = _clicks(evidence)
    labels = [
        Label(row.query_key, row.document_id, sum(row.clicked) / sum(row.shown), clicks[row.query_key] ** 0.5)
        for row in evidence
        if sum(row.clicked) > 0
    ]
    return labels, curve or PRIOR_CURVE


def label_doubly_robust(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    """Return shrunk doubly-robust estimates (after Oosterhuis 2022, arXiv:2203.17118) as labels.

    The estimate is (clicks + a m) / (expected examinations + a), with the model's probability m and
    a = 3; rank k is taken to be examined with probability k^-0.75.
    """
    clicks = _clicks(evidence)
    labels = []
    for row in evidence:
        examined = float(np.arange(1, len(row.shown) + 1) ** -_ASSUMED_STEEPNESS @ np.array(row.shown))
        believed = prior.get(row.query_key, {}).get(row.document_id, 0.0)
        estimate = (sum(row.clicked) + _PSEUDO_EXAMINATIONS * believed) / (examined + _PSEUDO_EXAMINATIONS)
        if clicks[row.query_key] and estimate >= _MIN_RELEVANCE:
            labels.append(Label(row.query_key, row.document_id, min(estimate, 1.0), clicks[row.query_key] ** 0.5))
    return labels, curve or PRIOR_CURVE


def label_by_interventions(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    """Return clickloop's labels by the curve that documents at several ranks show, where there are enough."""
    return label(evidence, prior, curve or _harvest_interventions(evidence))


def _harvest_interventions(evidence: list[Evidence]) -> ClickCurve | None:
    keys = sorted({row.query_key for row in evidence})
    fold = dict(zip(keys, assign_folds(len(keys)).tolist(), strict=True))
    shown, clicked = (np.array(counts) for counts in zip(*((row.shown, row.clicked) for row in evidence), strict=True))
    found = harvest_interventions(shown, clicked, np.array([fold[row.query_key] for row in evidence]))
    return None if found.family == PRIOR else found.curve


def _clicks(evidence: list[Evidence]) -> dict[str, float]:
    total: dict[str, float] = {}
    for row in evidence:
        total[row.query_key] = total.get(row.query_key, 0.0) + sum(row.clicked)
    return total
