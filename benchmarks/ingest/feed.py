"""Feedback as apps send it: lists that an engine of their own ranked, and what users did with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from foundation.clock import Clock

_QUERIES = 2000
_ITEMS = 5000
_USERS = 20_000
_SHOWN = 10

Json = dict[str, Any]


class Feed:
    """Makes events that differ in their ids, whatever was made before by the same feed.

    Args:
        seed: Decides who sees and clicks what.
        clock: Tells when.
    """

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random = np.random.default_rng(seed)
        self._prefix = f"{int(self._random.integers(2**32)):08x}"
        self._clock = clock
        self._made = 0
        self._lists: list[tuple[str, str, list[str]]] = []

    def rankings(self, count: int) -> list[Json]:
        """Return lists that were shown, in Metarank's form; later events are about them."""
        return [self._ranking() for _ in range(count)]

    def interactions(self, count: int) -> list[Json]:
        """Return clicks in Metarank's form."""
        return [self._interaction() for _ in range(count)]

    def events(self, count: int) -> list[Json]:
        """Return clicks and dwell times in clickloop's own form."""
        return [self._event() for _ in range(count)]

    def _ranking(self) -> Json:
        items = [f"item-{place}" for place in self._random.choice(_ITEMS, _SHOWN, replace=False).tolist()]
        query, user = f"how to do thing {self._random.integers(_QUERIES)}", f"user-{self._random.integers(_USERS)}"
        name = self._next_id()
        self._lists.append((name, user, items))
        return {
            "event": "ranking",
            "id": name,
            "timestamp": self._milliseconds(),
            "user": user,
            "fields": [{"name": "query", "value": query}],
            "items": [{"id": item} for item in items],
        }

    def _interaction(self) -> Json:
        ranking, user, item = self._choose()
        return {
            "event": "interaction",
            "id": self._next_id(),
            "timestamp": self._milliseconds(),
            "ranking": ranking,
            "user": user,
            "type": "click",
            "item": item,
        }

    def _event(self) -> Json:
        ranking, user, item = self._choose()
        what: Json = {"type": "click"} if self._random.random() < 0.6 else {"type": "dwell", "value": 31.5}
        return {"id": self._next_id(), "query_id": ranking, "document_id": item, "user": user, **what}

    def _choose(self) -> tuple[str, str, str]:
        ranking, user, items = self._lists[int(self._random.integers(len(self._lists)))]
        return ranking, user, items[int(self._random.integers(len(items)))]

    def _next_id(self) -> str:
        self._made += 1
        spread = (self._made * 2_654_435_761) % 2**32  # over the whole index, as random ids are
        return f"{spread:08x}-{self._prefix}-{self._made}"

    def _milliseconds(self) -> str:
        return str(int(self._clock.now().timestamp() * 1000))
