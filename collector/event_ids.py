"""Notices events that come under the id of another one."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

from foundation.contracts import FeedbackEvent

_MOST_IDS = 50_000


def said(event: FeedbackEvent) -> tuple[object, ...]:
    """Return what an event says; its moments are left out, for a retry without `at` has others."""
    return (event.type, event.query_id, event.document_id, event.user, event.value)


def count_conflicts(heard: Iterable[FeedbackEvent], known: Mapping[str, FeedbackEvent]) -> Counter[str]:
    """Return by id how many events say something else than the known one of their id."""
    return Counter(event.id for event in heard if said(event) != said(known[event.id]))


class EventIds:
    """What was said under the latest 50,000 ids in one process, as hashes. Used by one thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, int] = OrderedDict()

    def conflicts(self, event: FeedbackEvent) -> bool:
        """Return whether another event came under this id; if not, remember it."""
        key, content = hash((event.collection, event.id)), hash(said(event))
        known = self._known.setdefault(key, content)
        self._known.move_to_end(key)
        if len(self._known) > _MOST_IDS:
            self._known.popitem(last=False)
        return known != content
