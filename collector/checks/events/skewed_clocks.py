"""Clients whose clocks are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinedEvent, JoinSnapshot

TOLERATED = timedelta(minutes=2)
"""How far a clock may be off before it is told; networks and queues take their time too."""


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
        len(by_client),
        "Leave out `at` where events are sent at once, so that the service stamps them; or set the clock of the "
        "machine that sends them.",
    )


def _is_ahead(events: Sequence[JoinedEvent]) -> bool:
    return median((event.at - event.received_at).total_seconds() for event in events) > TOLERATED.total_seconds()


def _is_behind(events: Sequence[JoinedEvent]) -> bool:
    after_s = [(event.at - event.about.at).total_seconds() for event in events if event.about is not None]
    return bool(after_s) and median(after_s) < -TOLERATED.total_seconds()
