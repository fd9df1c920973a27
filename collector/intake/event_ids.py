"""Notices ids that say nothing: those of variables that were never set, and those of another event."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

from foundation.contracts import FeedbackEvent

_MAX_IDS = 50_000
_UNSET = frozenset({"undefined", "null", "[object object]", "nan", "none", "nil"})


def is_unset(id_: str) -> bool:
    """Return whether an id is the text of a variable without a value, in whatever language the app is written."""
    return id_.strip().lower() in _UNSET


def content_of(event: FeedbackEvent) -> tuple[object, ...]:
    """Return what an event says; its moments are left out, for a retry without `at` has others."""
    return (event.type, event.name, event.query_id, event.document_id, event.user, event.value)


def count_conflicts(joined: Iterable[FeedbackEvent], known: Mapping[str, FeedbackEvent]) -> Counter[str]:
    """Return by id how many events say something else than the known one of their id."""
    return Counter(event.id for event in joined if content_of(event) != content_of(known[event.id]))


class EventIds:
    """What was said under the latest 50,000 ids in one process, as hashes. Used by one thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, int] = OrderedDict()

    def conflicting(self, events: Iterable[FeedbackEvent]) -> set[int]:
        """Return the places of events under whose id another event came before, in this request or remembered."""
        together: dict[int, int] = {}
        found = set()
        for place, event in enumerate(events):
            key, content = _hashes(event)
            if self._known.get(key, content) != content or together.setdefault(key, content) != content:
                found.add(place)
        return found

    def remember(self, events: Iterable[FeedbackEvent]) -> None:
        """Remember what is durable."""
        for event in events:
            key, content = _hashes(event)
            self._known.setdefault(key, content)
            self._known.move_to_end(key)
        while len(self._known) > _MAX_IDS:
            self._known.popitem(last=False)


def _hashes(event: FeedbackEvent) -> tuple[int, int]:
    return hash((event.collection, event.id)), hash(content_of(event))
