"""What lists become by the events about them: from all of their events, or from those that are new (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from collector.fold.lists import Outcome, ShownList, in_time, outcome_of
from foundation.contracts import EventType, FeedbackEvent

Told = dict[str, list[FeedbackEvent]]
"""Events by the query id of the list they are about."""

_LAST_DECIDES: frozenset[EventType] = frozenset({"rating", "resolved", "unresolved"})


def by_list(events: Iterable[FeedbackEvent]) -> Told:
    """Return events by the list they are about."""
    told: Told = {}
    for event in events:
        told.setdefault(event.query_id, []).append(event)
    return told


def recompute(shown: ShownList, told: Iterable[FeedbackEvent], lateness_days: float) -> ShownList:
    """Return a list with the outcome that all events about it amount to.

    Args:
        lateness_days: How long after a list was shown its events count.
    """
    return replace(shown, outcome=outcome_of(shown.ranks, _counted(shown, told, lateness_days)))


def adds_up(outcome: Outcome, news: Iterable[FeedbackEvent]) -> bool:
    """Return whether `apply` knows enough; if not, all events of the list must be heard.

    Of ratings and verdicts the last one decides, and a resolution may be credited to the last click.
    """
    return not outcome.resolved and all(event.type not in _LAST_DECIDES for event in news)


def apply(known: ShownList, news: Iterable[FeedbackEvent], lateness_days: float) -> ShownList:
    """Return what `recompute` would of the events behind `known` and of `news` together.

    Args:
        news: Events, each once, that are not among those behind `known` and that add up with them.
    """
    return replace(known, outcome=_join(known.outcome, outcome_of(known.ranks, _counted(known, news, lateness_days))))


def _join(one: Outcome, other: Outcome) -> Outcome:
    stays = {key: max(stay, one.dwell.get(key, 0.0)) for key, stay in other.dwell.items()}
    conversions = {key: number + one.conversions.get(key, 0) for key, number in other.conversions.items()}
    return replace(
        one,
        clicked=tuple(sorted({*one.clicked, *other.clicked})),
        dwell=one.dwell | stays,
        conversions=one.conversions | conversions,
        abandoned=one.abandoned or other.abandoned,
        seen=tuple(sorted({*one.seen, *other.seen})),
    )


def _counted(shown: ShownList, told: Iterable[FeedbackEvent], lateness_days: float) -> Collection[FeedbackEvent]:
    return [event for event in told if not event.distrusted and in_time(event.at, shown.at, lateness_days)]
