"""Checks the moments and durations that clients send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinedEvent, JoinSnapshot
from collector.fold.lists import EARLIEST, in_time

TOLERATED = timedelta(minutes=2)
"""How far a clock may be off before it is reported; networks and queues take their time too."""
MAX_USUAL_S = 600.0
"""Few people stay on one document for longer; half a second in milliseconds is nearly as much."""


def late_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that are kept and not folded, for they happened too late."""
    joined = [(event, event.about) for event in snapshot.events if event.about is not None]
    return tell(
        "events-late",
        f"Events more than {snapshot.lateness_days:g} days after their list was shown: kept, and counted for nothing.",
        [event.id for event, about in joined if not in_time(event.at, about.at, snapshot.lateness_days)],
        of=len(joined),
        advice="If people come back to old lists, set CLICKLOOP_LATENESS_DAYS higher and run clickloop replay; else "
        "look for a client that keeps an old query_id.",
    )


def skewed_clocks(snapshot: JoinSnapshot) -> Finding:
    """Count the users whose events happened, by the median, before their list was shown or after they came.

    An event that waited for its sending is no sign of a wrong clock; one from the future, or from before its
    own cause, is.
    """
    by_client: dict[tuple[str, str], list[JoinedEvent]] = {}
    for event in snapshot.events:
        by_client.setdefault((event.source, event.user), []).append(event)
    skewed = [events[0].id for events in by_client.values() if _is_ahead(events) or _is_behind(events)]
    return tell(
        "clocks-skewed",
        "Users whose events happened, by the median, more than 2 minutes after they were received or before their "
        "list was shown: the clock that stamps them is wrong. Order and lateness are judged by it.",
        skewed,
        of=len(by_client),
        advice="Leave out `at` where events are sent at once, so that the service stamps them; or set the clock of the "
        "machine that sends them.",
    )


def _is_ahead(events: Sequence[JoinedEvent]) -> bool:
    return median((event.at - event.received_at).total_seconds() for event in events) > TOLERATED.total_seconds()


def _is_behind(events: Sequence[JoinedEvent]) -> bool:
    after_s = [(event.at - event.about.at).total_seconds() for event in events if event.about is not None]
    return bool(after_s) and median(after_s) < -TOLERATED.total_seconds()


def early_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that lie before their own cause."""
    joined = [(event, event.about) for event in snapshot.events if event.about is not None]
    return tell(
        "events-before-list",
        f"Events dated more than {TOLERATED.total_seconds() / 60:.0f} minutes before their list was shown; those dated "
        f"more than {EARLIEST.total_seconds() / 3600:.0f} hours before it are kept, and counted for nothing.",
        [event.id for event, about in joined if about.at - event.at > TOLERATED],
        of=len(joined),
        advice="Leave out `at` where events are sent at once; else send the moment in its zone, such as "
        "2026-01-05T10:00:00Z. A wrong zone is off by whole hours, a default value of a date by years.",
    )


def dwell_in_milliseconds(snapshot: JoinSnapshot) -> Finding:
    """Count the stays that are too long for seconds; where most are, the app sends milliseconds."""
    stays = [event for event in snapshot.events if event.type == "dwell"]
    return tell(
        "dwell-in-milliseconds",
        f"Stays of more than {MAX_USUAL_S:g} seconds: where most are, these are milliseconds, and every "
        "short visit counts as a satisfied one.",
        [event.id for event in stays if event.value > MAX_USUAL_S],
        of=len(stays),
        advice="Send the value of dwell in seconds: divide milliseconds by 1,000.",
        usual_share=0.5,
    )
