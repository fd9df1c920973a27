"""What one search of an experiment adds to the base signals that metrics are made of (pure, in integers).

A search says most by its own outcome. What its randomization unit asks next in the same run tells the rest: whether it
was reformulated, and whether a resolution held.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from operator import add, neg, sub
from typing import NamedTuple

from collector.fold.exposure import OutcomeKey
from collector.fold.lists import ShownList
from collector.fold.outcomes import DISLIKED_STARS, NO_OUTCOME, Outcome, satisfaction
from collector.fold.preference import TREATMENTS, preference

REFORMULATED_WITHIN = timedelta(seconds=120)
RECONTACT_AFTER = timedelta(minutes=30)
RECONTACT_WITHIN = timedelta(days=3)
"""A resolution does not hold when the unit asks the same next, later than the one and no later than the other."""

_BUCKET = math.log(1.02)
_ENDS = {1: "wins", -1: "losses", 0: "ties"}


class SearchSignals(NamedTuple):
    """What searches add up to.

    Attributes:
        searches: Searches.
        clicked: Searches with a click.
        preferred: Sum of the weights of searches whose clicks prefer the treatment, less those that prefer the control.
        offered: Sum of the weights of interleaved searches that offered a choice.
        wins: Interleaved searches whose clicks prefer the treatment.
        losses: Those whose clicks prefer the control.
        ties: Those that offered a choice and whose clicks prefer neither.
        preferred_2: Of three interleaved rankings, the second treatment's `preferred`; so with the four that follow.
        clicks: Ranks clicked.
        clicked_first: Searches with a click on rank 1.
        abandoned: Searches after which nothing was clicked, rated, resolved or converted, or whose user left without
            a click.
        reformulated: Searches without a click whose unit next asks something else, at most 120 s later.
        zero_results: Searches that found nothing.
        successful: Searches with a document that satisfied, or that were resolved by their user's word.
        rated: Searches with a rating.
        ratings: Ratings, the last of each document.
        rating_sum: Their sum in stars.
        low_ratings: Those of one or two stars.
        resolved: Searches whose last verdict is a resolution that holds: the unit's next search does not ask the same
            within the recontact window, from 30 minutes to three days later.
        unresolved: Searches with another verdict, and those whose resolution does not hold.
        converted: Searches with a conversion.
        conversions: Conversions.
        revenue: Their worth in millionths.
        success_ms: Sum of the times from a list to its first click on a document that satisfied.
        timed_successes: Searches with such a click.
    """

    searches: int = 0
    clicked: int = 0
    preferred: int = 0
    offered: int = 0
    wins: int = 0
    losses: int = 0
    ties: int = 0
    preferred_2: int = 0
    offered_2: int = 0
    wins_2: int = 0
    losses_2: int = 0
    ties_2: int = 0
    clicks: int = 0
    clicked_first: int = 0
    abandoned: int = 0
    reformulated: int = 0
    zero_results: int = 0
    successful: int = 0
    rated: int = 0
    ratings: int = 0
    rating_sum: int = 0
    low_ratings: int = 0
    resolved: int = 0
    unresolved: int = 0
    converted: int = 0
    conversions: int = 0
    revenue: int = 0
    success_ms: int = 0
    timed_successes: int = 0

    def plus(self, other: SearchSignals) -> SearchSignals:
        """Return the sum of both."""
        return SearchSignals._make(map(add, self, other))

    def minus(self, other: SearchSignals) -> SearchSignals:
        """Return what must be added to `other` to arrive at these."""
        return SearchSignals._make(map(sub, self, other))


SIGNALS = SearchSignals._fields
SECOND_SIGNALS = tuple(name for name in SIGNALS if name.endswith("_2"))
"""Those of the second treatment."""

NO_SIGNALS = SearchSignals()


class Asked(NamedTuple):
    """What a search asks, and when; a unit's searches are in the order of these."""

    at: datetime
    query_id: str
    query_key: str


class Ending(NamedTuple):
    """How a search ended, as far as the next one can change what it says: with a click, and by which verdict."""

    clicked: bool
    resolved: bool | None


class LatencyKey(NamedTuple):
    """What searches are counted by that took equally long, within a collection; `unit` is the randomization unit."""

    experiment: str
    run: int
    unit: str
    arm: str
    bucket: int


class CustomSignals(NamedTuple):
    """What searches add up to in custom events of one name.

    Attributes:
        searches: Searches with such an event.
        events: Events.
        value: Their worth in millionths.
    """

    searches: int = 0
    events: int = 0
    value: int = 0


def custom_signal(term: str) -> tuple[str, str] | None:
    """Return the event's name and the part of a custom event's signal, NAME.PART; None for a base signal."""
    name, dot, part = term.partition(".")
    return (name, part) if dot else None


CustomKey = tuple[OutcomeKey, str]
"""Where custom events are added up, and their name."""


class OutcomeSums:
    """What some searches add up to; differences may be negative.

    Attributes:
        signals: The sums of their signals.
        custom: The sums of their custom events.
        latencies: How many took how long.
    """

    def __init__(self) -> None:
        self.signals: dict[OutcomeKey, SearchSignals] = {}
        self.custom: dict[CustomKey, CustomSignals] = {}
        self.latencies: dict[LatencyKey, int] = {}

    def add_search(
        self, key: OutcomeKey, shown: ShownList, asked: Asked, following: Asked | None, took_ms: float
    ) -> None:
        """Add everything that one search says.

        Args:
            following: The unit's next search in the same run.
            took_ms: Milliseconds it took, 0 where nobody measured.
        """
        self.add(key, signals_of(shown, asked, following))
        self.add_custom(key, shown.outcome)
        self.add_latency(key, took_ms)

    def add(self, key: OutcomeKey, signals: SearchSignals) -> None:
        """Add what a search says, or says more than before."""
        self.signals[key] = self.signals[key].plus(signals) if key in self.signals else signals

    def add_custom(self, key: OutcomeKey, outcome: Outcome, sign: int = 1) -> None:
        """Add the custom events of one search, or take them away with the sign -1."""
        for name, (count, worth) in outcome.custom.items():
            self._add_custom((key, name), CustomSignals(sign, sign * count, sign * worth))

    def _add_custom(self, key: CustomKey, said: CustomSignals) -> None:
        self.custom[key] = CustomSignals._make(map(add, self.custom.get(key, CustomSignals()), said))

    def add_latency(self, key: OutcomeKey, took_ms: float, count: int = 1) -> None:
        """Add that searches took so long, where somebody measured."""
        if took_ms > 0:
            timed = LatencyKey(key.experiment, key.run, key.unit, key.arm, latency_bucket(took_ms))
            self.latencies[timed] = self.latencies.get(timed, 0) + count

    def subtract(self, other: OutcomeSums) -> None:
        """Take away what other searches add up to."""
        for key, signals in other.signals.items():
            self.add(key, NO_SIGNALS.minus(signals))
        for named, custom in other.custom.items():
            self._add_custom(named, CustomSignals._make(map(neg, custom)))
        for timed, count in other.latencies.items():
            self.latencies[timed] = self.latencies.get(timed, 0) - count


def latency_bucket(took_ms: float) -> int:
    """Return the bucket of a latency above 0; each is 2% wide."""
    return math.floor(math.log(took_ms) / _BUCKET)


def ending_of(outcome: Outcome) -> Ending:
    """Return how a search ended."""
    return Ending(bool(outcome.clicked), outcome.resolved)


def signals_of(shown: ShownList, asked: Asked, following: Asked | None) -> SearchSignals:
    """Return everything that one search says.

    Args:
        following: The unit's next search in the same run.
    """
    said, more = own_signals(shown), sequel_signals(ending_of(shown.outcome), asked, following)
    return said if more is NO_SIGNALS else said.plus(more)


def own_signals(shown: ShownList) -> SearchSignals:
    """Return what a search says by its own outcome."""
    outcome, ranks = shown.outcome, shown.ranks
    preferences = _preferences(shown)
    if outcome == NO_OUTCOME:
        return SearchSignals(searches=1, abandoned=1, zero_results=int(not ranks), **preferences)
    clicks, stars = len(outcome.clicked), outcome.ratings.values()
    satisfying = {document for document in _named(shown) if satisfaction(outcome, document) > 0}
    first_ms = _first_success_ms(shown, satisfying)
    silent = not (clicks or stars or outcome.resolved or outcome.conversions)
    return SearchSignals(
        searches=1,
        clicked=int(clicks > 0),
        clicks=clicks,
        clicked_first=int(1 in outcome.clicked),
        abandoned=int(silent or (outcome.abandoned and not clicks)),
        zero_results=int(not ranks),
        successful=int(bool(satisfying) or outcome.resolved is True),
        rated=int(bool(stars)),
        ratings=len(stars),
        rating_sum=sum(stars),
        low_ratings=sum(one <= DISLIKED_STARS for one in stars),
        converted=int(bool(outcome.conversions)),
        conversions=sum(outcome.conversions.values()),
        revenue=outcome.revenue,
        success_ms=first_ms or 0,
        timed_successes=int(first_ms is not None),
        **preferences,
    )


def sequel_signals(ending: Ending, asked: Asked, following: Asked | None) -> SearchSignals:
    """Return what a search says by its verdict and by what its unit asks next."""
    reformulated = recontacted = False
    if following is not None:
        same, later = following.query_key == asked.query_key, following.at - asked.at
        reformulated = not ending.clicked and not same and later <= REFORMULATED_WITHIN
        recontacted = same and RECONTACT_AFTER < later <= RECONTACT_WITHIN
    if not reformulated and ending.resolved is None:
        return NO_SIGNALS
    holds = ending.resolved is True and not recontacted
    return SearchSignals(
        reformulated=int(reformulated), resolved=int(holds), unresolved=int(ending.resolved is not None and not holds)
    )


def _preferences(shown: ShownList) -> dict[str, int]:
    """Return the signals of whom the clicks of an interleaved list prefer."""
    found: dict[str, int] = {}
    for treatment, suffix in zip(TREATMENTS[: max(shown.rankings - 1, 1)], ("", "_2"), strict=False):
        if preferred := preference(shown.teams, shown.outcome.clicked, treatment):
            side, weight = preferred
            found |= {f"preferred{suffix}": side * weight, f"offered{suffix}": weight}
            found[f"{_ENDS[side]}{suffix}"] = 1
    return found


def _named(shown: ShownList) -> set[str]:
    outcome = shown.outcome
    return {*outcome.ratings, *outcome.dwell, *outcome.conversions, *filter(None, (outcome.credited,))}


def _first_success_ms(shown: ShownList, satisfying: set[str]) -> int | None:
    if not satisfying or not shown.outcome.clicked:
        return None
    satisfied = {shown.ranks[document] for document in satisfying}
    clicks = zip(shown.outcome.clicked, shown.outcome.clicked_ms, strict=True)
    moments = [moment for rank, moment in clicks if moment and rank in satisfied]
    return max(0, min(moments) - int(shown.at.timestamp() * 1000)) if moments else None
