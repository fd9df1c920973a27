"""Lists that were shown, and what events about them make of them: all events, or those that are new (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.fold.exposure import OutcomeKey
from collector.fold.outcomes import Outcome, outcome_of
from foundation.contracts import EventType, FeedbackEvent

EARLIEST = timedelta(days=1)
"""How long before its list an event may lie by its sender's clock and zone; no zone is more than 14 hours off."""

EventsByList = dict[str, list[FeedbackEvent]]
"""Events by the query id of the list they are about."""

_LAST_DECIDES: frozenset[EventType] = frozenset({"rating", "resolved", "unresolved"})


@dataclass(frozen=True, slots=True)
class ShownList:
    """One impression as it is counted.

    Attributes:
        ranks: Rank of every document shown, 1 on top.
        to_person: Whether a person saw it as a page; what agents and chatbots pass over says nothing.
        exposure: Where it counts in its experiment, None outside of experiments.
        teams: The team of each of its slots, rank 1 first, where it is interleaved.
        rankings: How many rankings were interleaved in it, 0 where that was not kept.
        forced: Ranks that a rule of the owner filled. What happened there says nothing of the documents.
    """

    query_id: str
    at: datetime
    ranks: Mapping[str, int]
    outcome: Outcome
    to_person: bool = True
    exposure: OutcomeKey | None = None
    teams: tuple[str, ...] = ()
    rankings: int = 0
    forced: frozenset[int] = frozenset()

    @property
    def forced_clicks(self) -> int:
        """How many of the clicked ranks a rule filled."""
        return sum(rank in self.forced for rank in self.outcome.clicked)

    @property
    def tells(self) -> bool:
        """Whether it has a click from which is learned."""
        return len(self.outcome.clicked) > self.forced_clicks


def in_time(event_at: datetime, shown_at: datetime, lateness_days: float) -> bool:
    """Return whether an event is folded: it happened at most `lateness_days` after its list was shown.

    One that lies before its own list counts too where a wrong clock or zone can explain it.
    """
    return -EARLIEST <= event_at - shown_at <= timedelta(days=lateness_days)


def was_examined(shown: ShownList, last_click: datetime | None = None) -> bool:
    """Return whether a person is known to have looked at a list, so that what they passed over counts.

    They clicked in it, or they went on to click in a list that they were shown later. Clicks on what a rule put at its
    rank show nothing: without the rule they might not have been.

    Args:
        last_click: When the latest list of the person's week was shown that has a click.
    """
    went_on = last_click is not None and shown.at < last_click
    return shown.to_person and (went_on or shown.tells)


def by_list(events: Iterable[FeedbackEvent]) -> EventsByList:
    """Return events by the list they are about."""
    grouped: EventsByList = {}
    for event in events:
        grouped.setdefault(event.query_id, []).append(event)
    return grouped


def recompute(shown: ShownList, events: Iterable[FeedbackEvent], lateness_days: float) -> ShownList:
    """Return a list with the outcome of all events about it.

    Args:
        lateness_days: How long after a list was shown its events count.
    """
    return replace(shown, outcome=outcome_of(shown.ranks, _counted(shown, events, lateness_days)))


def adds_up(outcome: Outcome, news: Iterable[FeedbackEvent]) -> bool:
    """Return whether `apply` is enough; if not, the outcome must be recomputed from all events.

    Of ratings and verdicts the last one decides, and a resolution may be credited to the last click.
    """
    return not outcome.resolved and all(event.type not in _LAST_DECIDES for event in news)


def apply(known: ShownList, news: Iterable[FeedbackEvent], lateness_days: float) -> ShownList:
    """Return what `recompute` would of the events behind `known` and of `news` together.

    Args:
        news: Events, each once, that are not among those behind `known` and that add up with them.
    """
    later = outcome_of(known.ranks, _counted(known, news, lateness_days))
    return replace(known, outcome=known.outcome.plus(later))


def _counted(shown: ShownList, events: Iterable[FeedbackEvent], lateness_days: float) -> Collection[FeedbackEvent]:
    return [event for event in events if not event.distrusted and in_time(event.at, shown.at, lateness_days)]
