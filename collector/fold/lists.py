"""Joins feedback to what was shown and counts it: pure, in integers, whatever the order of arrival.

The unit of counting is the *vote*: all lists that one user saw for one query in one week. A vote
counts at most a few lists, so that no user, however busy, outweighs the others.

Silence is no vote: that a document was not clicked counts only where it is known that somebody looked,
and what shows it is always an event. See `was_examined`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import add, neg
from typing import Any, TypeVar

from foundation.clock import WEEK_S
from foundation.contracts import CURVE_RANKS, EventType, FeedbackEvent

EARLIEST = timedelta(days=1)
"""How long before its list an event may lie by its sender's clock and zone; no zone is more than 14 hours off."""
LONG_DWELL_S = 30.0
"""The customary threshold of a satisfied click (Fox et al. 2005, doi:10.1145/1059981.1059982)."""
QUICK_RETURN_S = 10.0
LIKED_STARS = 4
DISLIKED_STARS = 2
ABOUT_THE_LIST: frozenset[EventType] = frozenset({"resolved", "unresolved", "abandon"})
_NO_RANKS = (0,) * CURVE_RANKS

Key = TypeVar("Key")


def period_of(at: datetime) -> int:
    """Return the whole weeks between 1970-01-01 (UTC) and `at`."""
    return int(at.timestamp() // WEEK_S)


def in_time(event_at: datetime, shown_at: datetime, lateness_days: float) -> bool:
    """Return whether an event is folded: it happened at most `lateness_days` after its list was shown.

    One that lies before its own list counts too where a wrong clock or zone can explain it.
    """
    return -EARLIEST <= event_at - shown_at <= timedelta(days=lateness_days)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a user did with one list.

    Attributes:
        clicked: Ranks clicked, ascending, each once.
        seen: Ranks reported as seen, likewise.
        ratings: The last rating of each document, in stars.
        dwell: The longest stay on each document, in seconds.
        conversions: How many conversions each document had.
        resolved: Whether the user said the query was answered; None without a word.
        credited: The document that resolved it: the one the user named, else the last one clicked.
        abandoned: Whether the user left the list.
    """

    clicked: tuple[int, ...] = ()
    ratings: dict[str, int] = field(default_factory=dict)
    dwell: dict[str, float] = field(default_factory=dict)
    conversions: dict[str, int] = field(default_factory=dict)
    resolved: bool | None = None
    credited: str = ""
    abandoned: bool = False
    seen: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "clicked": list(self.clicked),
            "ratings": self.ratings,
            "dwell": self.dwell,
            "conversions": self.conversions,
            "resolved": self.resolved,
            "credited": self.credited,
            "abandoned": self.abandoned,
            "seen": list(self.seen),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Return the outcome that `to_json` wrote, in this release or before what is seen was kept."""
        return cls(**value | {"clicked": tuple(value["clicked"]), "seen": tuple(value.get("seen", ()))})


NO_OUTCOME = Outcome()


def outcome_of(ranks: Mapping[str, int], events: Collection[FeedbackEvent]) -> Outcome:
    """Return what the events of one list amount to.

    Order does not matter, and an event that comes twice counts once. Clicks, ratings, dwells and
    conversions of documents that the list did not show are left out.

    Args:
        ranks: Rank of every document shown, 1 on top.
        events: The list's events that came in time.
    """
    if not events:
        return NO_OUTCOME
    once = {event.id: event for event in events if event.document_id in ranks or event.type in ABOUT_THE_LIST}
    by_type: dict[EventType, list[FeedbackEvent]] = {}
    for event in sorted(once.values(), key=lambda event: (event.at, event.id)):
        by_type.setdefault(event.type, []).append(event)
    clicks = by_type.get("click", [])
    verdict = _last_verdict(by_type)
    resolved = verdict.type == "resolved" if verdict else None
    return Outcome(
        clicked=_ranks_of(clicks, ranks),
        ratings={event.document_id: int(event.value) for event in by_type.get("rating", [])},
        dwell=_longest(by_type.get("dwell", [])),
        conversions=_occurrences(by_type.get("conversion", [])),
        resolved=resolved,
        credited=_credited(verdict, clicks, ranks) if verdict and resolved else "",
        abandoned="abandon" in by_type,
        seen=_ranks_of(by_type.get("seen", []), ranks),
    )


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
        return EvidenceCounts(
            tuple(map(add, self.shown, other.shown)),
            tuple(map(add, self.clicked, other.clicked)),
            self.users + other.users,
            self.satisfied + other.satisfied,
            self.dissatisfied + other.dissatisfied,
            self.rating_sum + other.rating_sum,
            self.ratings + other.ratings,
            self.conversions + other.conversions,
        )

    def negated(self) -> EvidenceCounts:
        """Return the counts that cancel these."""
        return EvidenceCounts(
            tuple(map(neg, self.shown)),
            tuple(map(neg, self.clicked)),
            -self.users,
            -self.satisfied,
            -self.dissatisfied,
            -self.rating_sum,
            -self.ratings,
            -self.conversions,
        )


NO_COUNTS = EvidenceCounts()


@dataclass(frozen=True, slots=True)
class ShownList:
    """One impression as it is counted.

    Attributes:
        ranks: Rank of every document shown, 1 on top.
        to_person: Whether a person saw it as a page; what agents and chatbots pass over says nothing.
    """

    query_id: str
    at: datetime
    ranks: Mapping[str, int]
    outcome: Outcome
    to_person: bool = True


def was_examined(shown: ShownList, last_click: datetime | None = None) -> bool:
    """Return whether a person is known to have looked at a list, so that what they passed over counts.

    They clicked in it, or they went on to click in a list that they were shown later.

    Args:
        last_click: When the latest list of the person's week was shown that has a click.
    """
    went_on = last_click is not None and shown.at < last_click
    return shown.to_person and (went_on or bool(shown.outcome.clicked))


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
        told, examined = _told_of(shown), was_examined(shown, last_click)
        seen = shown.outcome.seen if shown.to_person else ()
        for document_id, rank in shown.ranks.items() if told or examined or seen else ():
            looked = examined or rank in seen
            if document_id in told:
                counts = _count(shown.outcome, document_id, rank, looked=looked)
            elif looked:
                counts = _passed_over(rank)
            else:
                continue
            total[document_id] = total[document_id].plus(counts) if document_id in total else counts
    return {document_id: _one_user(counts) for document_id, counts in total.items()}


def difference(before: Mapping[Key, EvidenceCounts], after: Mapping[Key, EvidenceCounts]) -> dict[Key, EvidenceCounts]:
    """Return what must be added to `before` to arrive at `after`, without the keys that stay as they are."""
    change: dict[Key, EvidenceCounts] = {}
    for key in before.keys() | after.keys():
        was, became = before.get(key, NO_COUNTS), after.get(key, NO_COUNTS)
        if was is not became and was != became:  # most are the same object, and to compare numbers takes long
            change[key] = became if was is NO_COUNTS else became.plus(was.negated())
    return change


def satisfaction(outcome: Outcome, document_id: str) -> int:
    """Return 1 when a user was satisfied with a document, -1 when not, 0 when nothing says so.

    A clear rating outweighs what the user did; a conversion or resolution outweighs a dwell time.
    """
    stars = outcome.ratings.get(document_id)
    if stars is not None and (stars >= LIKED_STARS or stars <= DISLIKED_STARS):
        return 1 if stars >= LIKED_STARS else -1
    if document_id in outcome.conversions or outcome.credited == document_id:
        return 1
    seconds = outcome.dwell.get(document_id)
    if seconds is None:
        return 0
    return int(seconds >= LONG_DWELL_S) - int(seconds < QUICK_RETURN_S)


def _ranks_of(events: Iterable[FeedbackEvent], ranks: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted({ranks[event.document_id] for event in events}))


def _last_verdict(by_type: Mapping[EventType, list[FeedbackEvent]]) -> FeedbackEvent | None:
    verdicts = [*by_type.get("resolved", []), *by_type.get("unresolved", [])]
    return max(verdicts, key=lambda event: (event.at, event.id), default=None)


def _credited(verdict: FeedbackEvent, clicks: list[FeedbackEvent], ranks: Mapping[str, int]) -> str:
    if verdict.document_id in ranks:
        return verdict.document_id
    return clicks[-1].document_id if clicks else ""


def _longest(dwells: list[FeedbackEvent]) -> dict[str, float]:
    longest: dict[str, float] = {}
    for event in dwells:
        longest[event.document_id] = max(event.value, longest.get(event.document_id, 0.0))
    return longest


def _occurrences(events: list[FeedbackEvent]) -> dict[str, int]:
    count: dict[str, int] = {}
    for event in events:
        count[event.document_id] = count.get(event.document_id, 0) + 1
    return count


def _told_of(shown: ShownList) -> set[str]:
    """Return the documents that the outcome says something of; a user passes over most."""
    outcome = shown.outcome
    told = {*outcome.ratings, *outcome.dwell, *outcome.conversions, *filter(None, (outcome.credited,))}
    if outcome.clicked:
        told.update(document_id for document_id, rank in shown.ranks.items() if rank in outcome.clicked)
    return told


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


def _one_user(counts: EvidenceCounts) -> EvidenceCounts:
    return replace(counts, users=1) if counts.users > 1 else counts


@lru_cache(maxsize=1024)
def _passed_over(rank: int) -> EvidenceCounts:
    return EvidenceCounts(shown=_at_rank(rank))


@lru_cache(maxsize=1024)
def _at_rank(rank: int) -> tuple[int, ...]:
    place = min(rank, CURVE_RANKS) - 1
    return tuple(int(index == place) for index in range(CURVE_RANKS))
