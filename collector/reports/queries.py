"""What people asked and how it went, query by query (pure)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Literal, get_args

from collector.fold.outcomes import Outcome, satisfaction

Order = Literal["volume", "zero-result", "abandoned", "reformulated", "low-csat"]
ORDERS: tuple[Order, ...] = get_args(Order)

REFORMULATED_WITHIN = timedelta(minutes=5)
"""How soon another query of the same user, after a list without a click, counts as the same question."""

LOW_CSAT = 0.5
_ALIKE = 0.5
_MAX_CLUSTERED = 500
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class CountedSearch:
    """One search with the number of its results; all searches whose `person` is "" count as one person's."""

    query_id: str
    query_key: str
    person: str
    at: datetime
    results: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class QueryFigures:
    """How the searches for one query went; shares are of `searches`.

    Attributes:
        users: Different people who asked it; all searches without a user count as one person's.
        click_rate: Share with a click.
        zero_result_rate: Share that showed nothing.
        abandoned_rate: Share that showed something and was left without a click or any word of satisfaction.
        reformulated_rate: Share after which the same user, without a click, soon asked something else.
        mean_rating: Stars, None without a rating.
        csat: Share of satisfied searches among those of which it is known, None where it is of none.
        satisfied: Searches whose user was satisfied.
        dissatisfied: Searches whose user was not.
    """

    query: str
    searches: int
    users: int
    click_rate: float
    zero_result_rate: float
    abandoned_rate: float
    reformulated_rate: float
    mean_rating: float | None
    ratings: int
    csat: float | None
    satisfied: int
    dissatisfied: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Queries with low satisfaction that share words.

    Attributes:
        words: Those that all of them share.
        queries: The most dissatisfied first.
        csat: Of all together.
    """

    words: list[str]
    queries: list[str]
    searches: int
    dissatisfied: int
    csat: float


def verdict_of(outcome: Outcome) -> int:
    """Return 1 when the user of a list was satisfied, -1 when not, 0 when nothing says so.

    One satisfying document is enough; then comes what the user said of the list, then its documents.
    """
    about = {*outcome.ratings, *outcome.dwell, *outcome.conversions, outcome.credited} - {""}
    verdicts = {satisfaction(outcome, document_id) for document_id in about}
    if 1 in verdicts or outcome.resolved:
        return 1
    return -1 if -1 in verdicts or outcome.resolved is False else 0


def count_queries(searches: Iterable[CountedSearch]) -> list[QueryFigures]:
    """Return the figures of every query, in the order of their text."""
    in_order = sorted(searches, key=lambda one: (one.person, one.at, one.query_id))
    by_query: dict[str, list[CountedSearch]] = {}
    reformulated: Counter[str] = Counter()
    for search, following in zip_longest(in_order, in_order[1:]):
        by_query.setdefault(search.query_key, []).append(search)
        reformulated[search.query_key] += following is not None and _reformulates(search, following)
    return [_to_figures(key, by_query[key], reformulated[key]) for key in sorted(by_query)]


def _to_figures(query: str, searches: Sequence[CountedSearch], reformulated: int) -> QueryFigures:
    outcomes = [search.outcome for search in searches]
    verdicts = [verdict_of(outcome) for outcome in outcomes]
    stars = [star for outcome in outcomes for star in outcome.ratings.values()]
    satisfied, dissatisfied = verdicts.count(1), verdicts.count(-1)
    abandoned = sum(
        search.results > 0 and not search.outcome.clicked and verdict <= 0
        for search, verdict in zip(searches, verdicts, strict=True)
    )
    return QueryFigures(
        query=query,
        searches=len(searches),
        users=len({search.person for search in searches}),
        click_rate=sum(bool(outcome.clicked) for outcome in outcomes) / len(searches),
        zero_result_rate=sum(search.results == 0 for search in searches) / len(searches),
        abandoned_rate=abandoned / len(searches),
        reformulated_rate=reformulated / len(searches),
        mean_rating=sum(stars) / len(stars) if stars else None,
        ratings=len(stars),
        csat=satisfied / (satisfied + dissatisfied) if satisfied + dissatisfied else None,
        satisfied=satisfied,
        dissatisfied=dissatisfied,
    )


def order_queries(figures: Iterable[QueryFigures], by: Order) -> list[QueryFigures]:
    """Return the queries that an order concerns, those with most such searches first."""
    concerned = [(one, count) for one in figures if (count := _count(one, by)) > 0]
    return [one for one, _ in sorted(concerned, key=lambda pair: (-pair[1], pair[0].query))]


def cluster_queries(figures: Sequence[QueryFigures]) -> list[Cluster]:
    """Return queries of low satisfaction together with those that share words, the worst first.

    In the order given, each of the first 500 joins the first cluster whose leading query shares at least
    half of all their words with it, else it leads one of its own. Words are of three letters at least.
    """
    clusters: list[list[QueryFigures]] = []
    for one in figures[:_MAX_CLUSTERED]:
        home = next((members for members in clusters if _alike(members[0].query, one.query)), None)
        if home is None:
            clusters.append([one])
        else:
            home.append(one)
    return sorted((_to_cluster(members) for members in clusters), key=lambda one: (-one.dissatisfied, one.queries[0]))


def _count(one: QueryFigures, by: Order) -> int:
    """Return how many searches for a query an order counts."""
    match by:
        case "volume":
            return one.searches
        case "zero-result":
            return round(one.zero_result_rate * one.searches)
        case "abandoned":
            return round(one.abandoned_rate * one.searches)
        case "reformulated":
            return round(one.reformulated_rate * one.searches)
        case "low-csat":
            return one.dissatisfied if one.csat is not None and one.csat < LOW_CSAT else 0


def _reformulates(search: CountedSearch, following: CountedSearch) -> bool:
    return (
        following.person == search.person != ""
        and following.query_key != search.query_key
        and not search.outcome.clicked
        and following.at - search.at <= REFORMULATED_WITHIN
    )


def _words(query: str) -> set[str]:
    return set(_WORD.findall(query)) or {query}


def _alike(query: str, other: str) -> bool:
    one, two = _words(query), _words(other)
    return len(one & two) >= _ALIKE * len(one | two)


def _to_cluster(members: list[QueryFigures]) -> Cluster:
    dissatisfied = sum(one.dissatisfied for one in members)
    satisfied = sum(one.satisfied for one in members)
    return Cluster(
        words=sorted(set.intersection(*(_words(one.query) for one in members))),
        queries=[one.query for one in members],
        searches=sum(one.searches for one in members),
        dissatisfied=dissatisfied,
        csat=satisfied / (satisfied + dissatisfied),
    )
