"""Pairs of query and document with what feedback makes of them, and the searches they come from.

The labels are those of `collector.click_models.labels`, with a flat prior: every document that was shown is as likely
beforehand. A training run starts from its model's prior instead, so its labels differ where feedback is thin.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collector.click_models.labels import Signals, label
from collector.fold.counts import EvidenceCounts
from collector.join.rows import counts_of
from collector.reads.people import is_held, person
from collector.reads.rated import read_signals
from collector.tables import evidence, impressions
from foundation.clock import monotonic_s, period_of
from foundation.contracts import Evidence, Label
from foundation.database.engine import reading

MAX_ROWS = 50_000
"""Rows of evidence (query, week, document) that labels rest on; of more, those that changed last."""

MAX_SOURCES = 10
_LISTS_PER_QUERY = 200
_PRIOR_MASS = 0.5
_KEPT_S = 60.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, a document, and what users made of it.

    Attributes:
        query: The form under which equal queries share evidence.
        relevance: Posterior probability that the document is relevant; 0.0 below 0.02.
        uncertainty: Standard deviation of what it is, 0 or 1; None where `relevance` says no more than "below 0.02".
        weight: What the query is worth to a learner.
        shown: Counted lists that showed the document to somebody known to have looked.
        clicked: Those it was clicked in.
        users: People who clicked it or were satisfied with it, each counted once a week; all searches without
            a user count as one person's.
        sources: Ids of searches it comes from, those with a click first; at most ten.
    """

    query: str
    document_id: str
    relevance: float
    uncertainty: float | None
    weight: float
    shown: int
    clicked: int
    users: int
    satisfied: int
    dissatisfied: int
    sources: list[str]


@dataclass(frozen=True, slots=True)
class PairsPage:
    """A page of pairs in the order of query and document.

    Attributes:
        complete: Whether the labels rest on all evidence since the moment asked for.
        rare: Pairs left out of this page, for too few people asked their query.
        next: Where the next page begins, for `after`; None on the last.
    """

    collection: str
    pairs: list[Pair]
    complete: bool
    rare: int
    next: str | None


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The pairs of a collection at one change of its evidence, in the order of their places, without sources."""

    at_s: float
    change: int
    complete: bool
    places: list[str]
    pairs: list[Pair]


@dataclass(frozen=True, slots=True)
class _List:
    """A list of a query: its id, the documents shown, and whether one was clicked."""

    query_id: str
    documents: frozenset[str]
    clicked: bool


class Pairs:
    """Reads pairs. The labels made last are kept: for other pages a minute, for the first until evidence changes.

    Args:
        min_users: How many different people must have asked a query before it is shown.
        lists_per_user: Lists of one person for one query and week that count.
    """

    def __init__(self, engine: sa.Engine, min_users: int, lists_per_user: int) -> None:
        self._engine = engine
        self._min_users = min_users
        self._lists_per_user = lists_per_user
        self._turn = threading.Lock()
        self._kept: tuple[tuple[str, int], _Labelled] | None = None

    def page(self, collection: str, since: datetime, after: str, limit: int) -> PairsPage:
        """Return the pairs of evidence from the week of `since` on, behind the place that `after` names."""
        with reading(self._engine) as connection:
            labelled = self._labelled(connection, collection, period_of(since), goes_on=bool(after))
            start = bisect_right(labelled.places, after)
            found = labelled.pairs[start : start + limit]
            lists = self._lists(connection, collection, sorted({pair.query for pair in found}))
        shown = [replace(pair, sources=_sources(pair, lists[pair.query])) for pair in found if pair.query in lists]
        ends = start + limit < len(labelled.pairs)
        return PairsPage(
            collection=collection,
            pairs=shown,
            complete=labelled.complete,
            rare=len(found) - len(shown),
            next=labelled.places[start + limit - 1] if ends else None,
        )

    def _labelled(self, connection: sa.Connection, collection: str, first_period: int, *, goes_on: bool) -> _Labelled:
        latest = sa.select(sa.func.max(evidence.c.change)).where(evidence.c.collection == collection)
        change = int(connection.execute(latest).scalar() or 0)
        key = (collection, first_period)
        with self._turn:
            if self._kept is not None and self._kept[0] == key:
                known = self._kept[1]
                if known.change == change or (goes_on and monotonic_s() - known.at_s < _KEPT_S):
                    return known
            signals = read_signals(connection, collection, self._lists_per_user)
            known = _label(connection, collection, first_period, change, signals)
            self._kept = (key, known)
            return known

    def _lists(self, connection: sa.Connection, collection: str, queries: Sequence[str]) -> dict[str, list[_List]]:
        """Return some lists of each query that enough people asked; those of held users do not count."""
        found: dict[str, list[_List]] = {}
        for query in queries:
            asked = sa.and_(impressions.c.collection == collection, impressions.c.query_key == query, ~is_held())
            people = sa.select(person()).where(asked).distinct().limit(self._min_users)
            if len(connection.execute(people).all()) == self._min_users:
                statement = (
                    sa.select(impressions.c.query_id, impressions.c.results, impressions.c.clicks)
                    .where(asked)
                    .order_by(impressions.c.unit, impressions.c.period)
                    .limit(_LISTS_PER_QUERY)
                )
                found[query] = [
                    _List(
                        row.query_id,
                        frozenset(result["id"] for result in row.results if not result.get("forced")),
                        row.clicks > 0,
                    )
                    for row in connection.execute(statement)
                ]
        return found


def _label(connection: sa.Connection, collection: str, first_period: int, change: int, signals: Signals) -> _Labelled:
    """Return the pairs of the evidence that changed last, with their labels."""
    statement = (
        sa.select(evidence)
        .where(evidence.c.collection == collection, evidence.c.period >= first_period)
        .order_by(evidence.c.change.desc())
        .limit(MAX_ROWS + 1)
    )
    rows = connection.execute(statement).all()
    merged = [row for row in _merge(rows[:MAX_ROWS]) if row.tells]
    shown = Counter(row.query_key for row in merged)
    prior: dict[str, dict[str, float]] = {}
    for row in merged:
        prior.setdefault(row.query_key, {})[row.document_id] = _PRIOR_MASS / shown[row.query_key]
    found, _ = label(merged, prior, signals=signals)
    labels = {(one.query_key, one.document_id): one for one in found}
    pairs = {_place(row): _pair(row, labels.get((row.query_key, row.document_id))) for row in merged}
    places = sorted(pairs)
    return _Labelled(monotonic_s(), change, len(rows) <= MAX_ROWS, places, [pairs[place] for place in places])


def _merge(rows: Iterable[sa.Row[Any]]) -> list[Evidence]:
    """Return one row for each query and document, the sum of its weeks."""
    merged: dict[tuple[str, str], EvidenceCounts] = {}
    for row in rows:
        key, counts = (row.query_key, row.document_id), counts_of(row)
        if row.nameless:
            counts = replace(counts, users=min(counts.users, 1))
        merged[key] = merged[key].plus(counts) if key in merged else counts
    return [
        Evidence(*key, counts.shown, counts.clicked, counts.users, counts.satisfied, counts.dissatisfied)
        for key, counts in merged.items()
    ]


def _pair(row: Evidence, said: Label | None) -> Pair:
    return Pair(
        query=row.query_key,
        document_id=row.document_id,
        relevance=said.relevance if said else 0.0,
        uncertainty=said.uncertainty if said else None,
        weight=said.weight if said else 0.0,
        shown=int(sum(row.shown)),
        clicked=int(sum(row.clicked)),
        users=int(row.users),
        satisfied=int(row.satisfied),
        dissatisfied=int(row.dissatisfied),
        sources=[],
    )


def _place(row: Evidence) -> str:
    return f"{row.query_key}\t{row.document_id}"  # a query key holds no tab


def _sources(pair: Pair, lists: Sequence[_List]) -> list[str]:
    showing = [one for one in lists if pair.document_id in one.documents]
    return [one.query_id for one in sorted(showing, key=lambda one: not one.clicked)][:MAX_SOURCES]
