"""Stays that are told in milliseconds."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import JoinSnapshot

LONGEST_USUAL_S = 600.0
"""Few people stay on one document for longer; half a second in milliseconds is nearly as much."""
ALARMING_SHARE = 0.5


def dwell_in_milliseconds(snapshot: JoinSnapshot) -> Finding:
    """Count the stays that are too long for seconds; where most are, the app sends milliseconds."""
    stays = [event for event in snapshot.events if event.type == "dwell"]
    long = [event.id for event in stays if event.value > LONGEST_USUAL_S]
    return Finding(
        name="dwell-in-milliseconds",
        meaning=f"Stays of more than {LONGEST_USUAL_S:g} seconds: where most are, these are milliseconds, and every "
        "short visit counts as a satisfied one.",
        count=len(long),
        of=len(stays),
        example_id=long[0] if long else "",
        advice="Send the value of dwell in seconds: divide milliseconds by 1,000."
        if len(long) > ALARMING_SHARE * len(stays)
        else "",
    )
