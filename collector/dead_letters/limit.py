"""When dead letters are too many: the limit as data, and a watch over every partition and collection (pure).

Nothing stops at the limit: whatever cannot be taken is put aside and can be sent again. The alarm stays on until
records of the same place are taken again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

_MAX_PLACES = 1000


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """How many dead letters there may be in one collection of one partition of the log.

    Attributes:
        run: The most in a row.
        share: The largest share of the latest `of` records, once there were as many.
    """

    run: int = 100
    share: float = 0.5
    of: int = 1000


USUAL_LIMIT = DeadLetterLimit()


class Place(NamedTuple):
    """Where records come from: one collection in one partition of the log."""

    partition: int
    collection: str


@dataclass(slots=True)
class _Latest:
    """What became of the latest records of one place."""

    taken: deque[bool]
    run: int = 0
    dead: int = 0
    over: bool = False


@dataclass(slots=True)
class DeadLetterWatch:
    """Counts what became of records, of the 1,000 places met last."""

    limit: DeadLetterLimit
    _places: OrderedDict[Place, _Latest] = field(default_factory=OrderedDict)

    def note(self, place: Place, *, dead: bool) -> bool:
        """Note what became of a record; returns whether its place went over the limit, or back, by it."""
        latest = self._latest(place)
        if len(latest.taken) == self.limit.of:
            latest.dead -= latest.taken[0]
        latest.taken.append(dead)
        latest.dead += dead
        latest.run = latest.run + 1 if dead else 0
        many = len(latest.taken) == self.limit.of and latest.dead > self.limit.share * self.limit.of
        was, latest.over = latest.over, many or latest.run > self.limit.run
        return was != latest.over

    def is_over(self, place: Place) -> bool:
        """Return whether a place has too many."""
        return place in self._places and self._places[place].over

    def over(self) -> set[Place]:
        """Return the places with too many."""
        return {place for place, latest in self._places.items() if latest.over}

    def _latest(self, place: Place) -> _Latest:
        if place not in self._places:
            self._places[place] = _Latest(deque(maxlen=self.limit.of))
            if len(self._places) > _MAX_PLACES:
                self._places.popitem(last=False)
        self._places.move_to_end(place)
        return self._places[place]
