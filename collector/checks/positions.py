"""Checks the positions that clients send (pure).

Intakes convert to ranks from 1 on top by what their source declares. An app that changes its mind
shows in two ways: ranks below 1, and ranks that are off by one from what was served.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot

MIN_SIGHTINGS = 20
"""Comparable positions below which an offset of one may be chance: lists change while people look."""
MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """One position that a client sent, as a rank, and the rank that was served; None while that is unknown."""

    source: str
    event_id: str
    position: int
    rank: int | None


def find_shifted(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return the sightings that show a source counting from another number than it should, in their order.

    A rank below 1 shows it by itself. Ranks one off from the served ones do where they are the
    majority of at least 20 that can be compared.
    """
    by_source: dict[str, list[Sighting]] = {}
    for one in sightings:
        by_source.setdefault(one.source, []).append(one)
    return [one for source in by_source for one in _shifted_of(by_source[source])]


def _shifted_of(sightings: Sequence[Sighting]) -> list[Sighting]:
    offsets = [one.position - one.rank for one in sightings if one.rank is not None]
    moved = {
        step for step in (-1, 1) if len(offsets) >= MIN_SIGHTINGS and offsets.count(step) > MIN_SHARE * len(offsets)
    }
    return [one for one in sightings if one.position < 1 or (one.rank is not None and one.position - one.rank in moved)]


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
        of=len(sightings),
        advice=f"Check from which number {sources} counts: Algolia's from 1, Meilisearch's from 0, UBI's from "
        "CLICKLOOP_UBI_BASE; a release may have changed it.",
    )


def false_positions(snapshot: JoinSnapshot) -> Finding:
    """Count the positions that disagree with the list that was served."""
    given = [
        (event.id, event.position, event.about.ranks[event.document_id])
        for event in snapshot.events
        if event.position is not None and event.about is not None and event.document_id in event.about.ranks
    ]
    return tell(
        "positions-disagree",
        "Positions that are not the ranks at which the documents stood. The ranks served count; "
        "what people saw may have been another order.",
        [id_ for id_, position, rank in given if position != rank],
        of=len(given),
        advice="Check that the app shows hits in the order served: what it sorts, filters or mixes in afterwards makes "
        "the correction for position wrong.",
        usual_share=0.05,
    )
