"""Counts what lists say of documents: pure, in integers, whatever the order of arrival.

The unit of counting is the *vote*: all lists that one user saw for one query in one week. A vote
counts at most a few lists, so that no user, however busy, outweighs the others.

Silence is no vote. A document without a click counts only where an event shows that somebody looked;
see `collector.fold.lists.was_examined`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import add, sub
from typing import TypeVar

from collector.fold.lists import ShownList, was_examined
from collector.fold.outcomes import Outcome, satisfaction
from foundation.contracts import CURVE_RANKS

_NO_RANKS = (0,) * CURVE_RANKS

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class EvidenceCounts:
    """What lists say of one document under one query; every number an integer.

    Attributes:
        shown: Lists that showed it to somebody known to have looked, by rank; the last entry holds all
            deeper ranks.
        clicked: Lists it was clicked in, by rank.
        users: Votes that speak for it: with a click on it, or whose user was satisfied with it.
        satisfied: Lists whose user was satisfied with it.
        dissatisfied: Lists whose user was not.
        rating_sum: Sum of its ratings in stars.
        ratings: Number of its ratings.
        conversions: Number of its conversions.
    """

    shown: tuple[int, ...] = _NO_RANKS
    clicked: tuple[int, ...] = _NO_RANKS
    users: int = 0
    satisfied: int = 0
    dissatisfied: int = 0
    rating_sum: int = 0
    ratings: int = 0
    conversions: int = 0

    def plus(self, other: EvidenceCounts) -> EvidenceCounts:
        """Return the sum of both."""
        return self._combined(add, other)

    def minus(self, other: EvidenceCounts) -> EvidenceCounts:
        """Return what must be added to `other` to arrive at these."""
        return self._combined(sub, other)

    def _combined(self, operator: Callable[[int, int], int], other: EvidenceCounts) -> EvidenceCounts:
        return EvidenceCounts(
            tuple(map(operator, self.shown, other.shown)),
            tuple(map(operator, self.clicked, other.clicked)),
            operator(self.users, other.users),
            operator(self.satisfied, other.satisfied),
            operator(self.dissatisfied, other.dissatisfied),
            operator(self.rating_sum, other.rating_sum),
            operator(self.ratings, other.ratings),
            operator(self.conversions, other.conversions),
        )


NO_COUNTS = EvidenceCounts()


def count_votes(
    lists: Iterable[ShownList], lists_per_user: int, last_click: datetime | None = None
) -> dict[str, EvidenceCounts]:
    """Return what one vote says of each document, leaving out those it says nothing of.

    Args:
        lists: All lists of the vote, or at least the first `lists_per_user` of them, in any order.
        lists_per_user: How many lists count: the first ones by time, then by query id.
        last_click: See `was_examined`.
    """
    total: dict[str, EvidenceCounts] = {}
    for shown in sorted(lists, key=lambda one: (one.at, one.query_id))[:lists_per_user]:
        named, examined = _named_by(shown), was_examined(shown, last_click)
        seen = shown.outcome.seen if shown.to_person else ()
        for document_id, rank in _ranked(shown) if named or examined or seen else ():
            looked = examined or rank in seen
            if document_id in named:
                counts = _count(shown.outcome, document_id, rank, looked=looked)
            elif looked:
                counts = _passed_over(rank)
            else:
                continue
            total[document_id] = total[document_id].plus(counts) if document_id in total else counts
    return {
        document_id: replace(counts, users=1) if counts.users > 1 else counts for document_id, counts in total.items()
    }


def _ranked(shown: ShownList) -> Iterable[tuple[str, int]]:
    """Return the documents that a list says something of, with their ranks: all but those that a rule put there."""
    ranks = shown.ranks.items()
    return [(name, rank) for name, rank in ranks if rank not in shown.forced] if shown.forced else ranks


def difference(before: Mapping[Key, EvidenceCounts], after: Mapping[Key, EvidenceCounts]) -> dict[Key, EvidenceCounts]:
    """Return what must be added to `before` to arrive at `after`, without the keys that stay as they are."""
    change: dict[Key, EvidenceCounts] = {}
    for key in before.keys() | after.keys():
        was, became = before.get(key, NO_COUNTS), after.get(key, NO_COUNTS)
        if was is not became and was != became:  # most are the same object, and to compare numbers takes long
            change[key] = became if was is NO_COUNTS else became.minus(was)
    return change


def _named_by(shown: ShownList) -> set[str]:
    """Return the documents that the outcome says something of; a user passes over most."""
    outcome = shown.outcome
    named = {*outcome.ratings, *outcome.dwell, *outcome.conversions, *filter(None, (outcome.credited,))}
    if outcome.clicked:
        named.update(document_id for document_id, rank in shown.ranks.items() if rank in outcome.clicked)
    return named


def _count(outcome: Outcome, document_id: str, rank: int, *, looked: bool) -> EvidenceCounts:
    clicked = rank in outcome.clicked
    verdict = satisfaction(outcome, document_id)
    stars = outcome.ratings.get(document_id)
    return EvidenceCounts(
        shown=_at_rank(rank) if clicked or looked else _NO_RANKS,
        clicked=_at_rank(rank) if clicked else _NO_RANKS,
        users=int(clicked or verdict > 0),
        satisfied=int(verdict > 0),
        dissatisfied=int(verdict < 0),
        rating_sum=stars or 0,
        ratings=int(stars is not None),
        conversions=outcome.conversions.get(document_id, 0),
    )


@lru_cache(maxsize=1024)
def _passed_over(rank: int) -> EvidenceCounts:
    return EvidenceCounts(shown=_at_rank(rank))


@lru_cache(maxsize=1024)
def _at_rank(rank: int) -> tuple[int, ...]:
    place = min(rank, CURVE_RANKS) - 1
    return tuple(int(index == place) for index in range(CURVE_RANKS))
