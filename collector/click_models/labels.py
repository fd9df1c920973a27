"""Posteriors of relevance: clicks, skips and ratings read through a click curve and a prior.

Bias is corrected here, in the labels, and nowhere in the learners' gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from collector.click_models.click_curve import fit_curve, log_odds
from foundation.contracts import PRIOR_CURVE, ClickCurve, Evidence, Label

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Family = Literal["one", "many"]

_ROUNDS = 12
_MIN_PRIOR = 1e-5
_MAX_PRIOR = 0.9
_MIN_RELEVANCE = 0.02
_MAX_EXAMINATIONS = 20.0
_MAX_ODDS = 50.0


@dataclass(frozen=True, slots=True)
class Signals:
    """What a list whose user was satisfied with a document, or was not, adds to its log-odds of relevance."""

    satisfied: float = 0.7
    dissatisfied: float = -1.5


USUAL_SIGNALS = Signals()
"""What is believed before a collection has rated lists of its own."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Every pair that could be relevant in rows, grouped by query; those with evidence apart.

    Attributes:
        query: Number of the query by row, ascending, shape (n,).
        prior: Prior probability of relevance, shape (n,).
        rest: Prior mass of the documents that have no row, by query.
        seen: The rows that have evidence, shape (m,).
        shown: Their impressions by rank, shape (m, ranks).
        clicked: Their clicks by rank, same shape.
        said: What ratings and outcomes add to them, in log-odds, shape (m,).
        judged: Lists whose user said something of them, shape (m,).
    """

    keys: list[str]
    query: Ints
    documents: list[str]
    prior: Floats
    rest: Floats
    seen: Ints
    shown: Floats
    clicked: Floats
    said: Floats
    judged: Floats

    def sum(self, values: Floats) -> Floats:
        """Return the sum of row values by query."""
        return np.bincount(self.query, values, len(self.keys)).astype(np.float64)

    def odds(self, curve: ClickCurve) -> Floats:
        """Return the log likelihood ratio of each row, 0 without evidence, shape (n,)."""
        odds = np.zeros(len(self.query))
        odds[self.seen] = np.clip(log_odds(self.shown, self.clicked, curve) + self.said, -_MAX_ODDS, _MAX_ODDS)
        return odds


def label(
    evidence: list[Evidence],
    prior: Mapping[str, Mapping[str, float]],
    curve: ClickCurve | None = None,
    signals: Signals = USUAL_SIGNALS,
) -> tuple[list[Label], ClickCurve]:
    """Return the labels of every query of `evidence` and the curve they rest on.

    Two families of posterior compete: "one", a query has one relevant document, so that documents
    never shown gain when those shown fail; "many", documents are relevant independently. The one
    under which the clicks were likelier beforehand wins; the prior is out of fold, so the clicks are
    held out from it.

    The curve is fitted by expectation maximisation, alternating with the posteriors.

    Args:
        evidence: Rows in any order, at most one per query and document.
        prior: By query key, the model's probability that a document is the relevant one.
        curve: The curve to use; fitted when None.
        signals: How much satisfied and dissatisfied users say beyond their clicks.
    """
    if not evidence:
        return [], curve or PRIOR_CURVE
    table = _tabulate(evidence, prior, signals)
    fitted = curve or _fit(table)
    family = choose_family(table, fitted)
    return _to_labels(table, _posterior(table, fitted, family)), fitted


def choose_family(table: _Table, curve: ClickCurve) -> Family:
    """Return the family under which the clicks have the larger prior predictive likelihood."""
    ratio = np.exp(table.odds(curve))
    one = np.log(table.rest + table.sum(table.prior * ratio)).sum()
    many = np.log1p(table.prior * (ratio - 1)).sum()
    return "one" if one >= many else "many"


def _tabulate(evidence: list[Evidence], prior: Mapping[str, Mapping[str, float]], signals: Signals) -> _Table:
    rows = {(row.query_key, row.document_id): row for row in evidence}
    keys = sorted({key for key, _ in rows})
    pairs = sorted(rows.keys() | {(key, name) for key in keys for name in prior.get(key, {})})
    number = {key: place for place, key in enumerate(keys)}
    query = np.array([number[key] for key, _ in pairs])
    before = np.array([prior.get(key, {}).get(name, _MIN_PRIOR) for key, name in pairs])
    before = np.clip(before, _MIN_PRIOR, _MAX_PRIOR)
    mass = np.bincount(query, before, len(keys))
    seen = [place for place, pair in enumerate(pairs) if pair in rows]
    found = [rows[pairs[place]] for place in seen]
    return _Table(
        keys=keys,
        query=query,
        documents=[name for _, name in pairs],
        prior=before / np.maximum(mass, 1.0)[query],
        rest=np.maximum(1 - np.minimum(mass, 1.0), 1e-3),
        seen=np.array(seen),
        shown=np.array([row.shown for row in found], dtype=np.float64),
        clicked=np.array([row.clicked for row in found], dtype=np.float64),
        said=np.array([row.satisfied * signals.satisfied + row.dissatisfied * signals.dissatisfied for row in found]),
        judged=np.array([row.satisfied + row.dissatisfied for row in found], dtype=np.float64),
    )


def _fit(table: _Table) -> ClickCurve:
    curve = PRIOR_CURVE
    for _ in range(_ROUNDS):
        relevance = _posterior(table, curve, choose_family(table, curve))
        curve = fit_curve(table.shown, table.clicked, relevance[table.seen])
    return curve


def _posterior(table: _Table, curve: ClickCurve, family: Family) -> Floats:
    odds = table.odds(curve)
    if family == "one":
        weight = table.prior * np.exp(odds)
        result: Floats = weight / (table.rest + table.sum(weight))[table.query]
        return result
    return 1 / (1 + (1 - table.prior) / table.prior * np.exp(-odds))


def _to_labels(table: _Table, relevance: Floats) -> list[Label]:
    """Return labels; a query weighs more the better it was examined and the surer its best document is."""
    seen = np.zeros(len(relevance))
    examined = table.shown @ (np.array(PRIOR_CURVE.relevant) / PRIOR_CURVE.relevant[0])
    seen[table.seen] = np.maximum(examined, table.judged)  # whoever says something of a document has looked at it
    certain = np.zeros(len(table.keys))
    np.maximum.at(certain, table.query, relevance)
    weight = certain * np.sqrt(np.minimum(table.sum(seen), _MAX_EXAMINATIONS))
    kept = np.flatnonzero(relevance >= _MIN_RELEVANCE)
    columns = (table.query[kept].tolist(), kept.tolist(), relevance[kept].tolist(), weight[table.query[kept]].tolist())
    return [
        Label(table.keys[query], table.documents[row], value, worth)
        for query, row, value, worth in zip(*columns, strict=True)
    ]
