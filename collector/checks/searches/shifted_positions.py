"""Apps that count the documents of a list from another number than they declare."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.searches.positions import Sighting, find_shifted
from collector.checks.snapshot import JoinSnapshot


def shifted_positions(snapshot: JoinSnapshot) -> Finding:
    """Count the positions that are counted from the wrong number."""
    sightings = [
        Sighting(
            event.source, event.id, event.position, event.about.ranks.get(event.document_id) if event.about else None
        )
        for event in snapshot.events
        if event.position is not None
    ]
    shifted = find_shifted(sightings)
    sources = ", ".join(sorted({one.source for one in shifted}))
    return tell(
        "positions-shifted",
        "Positions counted from another number than the intake expects; ranks come from the list that was shown, so "
        "nothing is learned wrong, but the app's own reports are.",
        [one.event_id for one in shifted],
        len(sightings),
        f"Check from which number {sources} counts: Algolia's from 1, Meilisearch's from 0, UBI's from "
        "CLICKLOOP_UBI_BASE; a release may have changed it.",
    )
