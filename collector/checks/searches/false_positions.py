"""Positions that are not those at which the documents stood."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import JoinSnapshot

ALARMING_SHARE = 0.05


def false_positions(snapshot: JoinSnapshot) -> Finding:
    """Count the positions that disagree with the list that was served."""
    told = [
        (event.id, event.position, event.about.ranks[event.document_id])
        for event in snapshot.events
        if event.position is not None and event.about is not None and event.document_id in event.about.ranks
    ]
    false = [id_ for id_, position, rank in told if position != rank]
    alarming = bool(told) and len(false) > ALARMING_SHARE * len(told)
    return Finding(
        name="positions-disagree",
        meaning="Positions that are not the ranks at which the documents stood. The ranks served count; "
        "what people saw may have been another order.",
        count=len(false),
        of=len(told),
        example_id=false[0] if false else "",
        advice="Check that the app shows hits in the order served: what it sorts, filters or mixes in afterwards makes "
        "the correction for position wrong."
        if alarming
        else "",
    )
