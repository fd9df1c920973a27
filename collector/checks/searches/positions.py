"""Watches from which number clients count the documents of a list. Pure.

Intakes convert to ranks from 1 on top by what their source declares. An app that changes its mind
shows in two ways: ranks below 1, and ranks that are off by one from what was served.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MIN_SIGHTINGS = 20
"""Comparable positions below which an offset of one may be chance: lists change while people look."""
MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """One position that a client sent.

    Attributes:
        source: The intake and application it came from.
        event_id: The event it came with.
        position: The rank it was converted to.
        rank: The rank that was served, None when the list or the document in it is unknown.
    """

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
