"""The client for apps on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self, Unpack

from clickloop.client.answer import Answer, Hit
from clickloop.client.connection import Connection
from clickloop.client.delivery import Delivery
from clickloop.client.options import SearchOptions
from clickloop.client.outbox import Outbox
from clickloop.client.reporter import Reporter


class AsyncClient(Reporter):
    """Searches a collection, or ranks for another engine, and reports events to it, all on one event loop.

    Reporting only queues: a task sends in batches, again and again under the same ids, until the
    service acknowledges. What is queued lives in memory, so close the client before the process ends.

    Takes the arguments of `Client`.
    """

    def __init__(
        self,
        url: str,
        collection: str | None = None,
        key: str | None = None,
        *,
        strict: bool = False,
        capacity: int = 10_000,
        at_once: int = 200,
        linger_s: float = 0.5,
        timeout_s: float = 10.0,
    ) -> None:
        super().__init__(Outbox(capacity), strict=strict)
        self._connection = Connection(url, collection, key, timeout_s)
        self._delivery = Delivery(self._connection, self.outbox, at_once, linger_s, strict=strict)

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def search(
        self,
        query: str,
        *,
        limit: int = 10,
        user: str = "",
        session: str = "",
        filters: Mapping[str, Any] | None = None,
        **more: Unpack[SearchOptions],
    ) -> Answer:
        """Return what the service finds; as `Client.search`."""
        ask = {"query": query, "limit": limit, "user": user, "session": session, "filters": dict(filters or {})} | more
        return await self._connection.ask("/v1/search", ask)

    async def scan(self, query: str, *, limit: int = 100, **more: Any) -> AsyncIterator[Hit]:
        """Yield all that a search matches, however much it is; as `Client.scan`."""
        cursor = "*"
        while cursor:
            answer = await self.search(query, limit=limit, cursor=cursor, **more)
            for hit in answer.hits:
                yield hit
            cursor = answer.cursor

    async def rank(
        self,
        query: str,
        candidates: Sequence[Mapping[str, Any]],
        *,
        user: str = "",
        session: str = "",
        **more: Any,
    ) -> Answer:
        """Return another engine's candidates in the order in which to show them; as `Client.rank`."""
        listed = [dict(one) for one in candidates]
        ask = {"query": query, "candidates": listed, "user": user, "session": session} | more
        return await self._connection.ask("/v1/rank", ask)

    async def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until all that was reported so far is acknowledged or refused; as `Client.flush`."""
        await self._delivery.flush(timeout_s)

    async def close(self, timeout_s: float = 10.0) -> None:
        """Flush, then stop; as `Client.close`."""
        if self.closed:
            return
        self.closed = True
        try:
            await self.flush(timeout_s)
        finally:
            await self._delivery.stop()
            await self._connection.close()

    def is_awaited(self, waiting: int) -> bool:
        """Return whether the delivery wants to know that so many events wait; from any thread."""
        return waiting in {1, self._delivery.at_once}

    def send_soon(self) -> None:
        """Start sending, or go on."""
        self._delivery.start()
        self._delivery.notify()

    def _notify(self, waiting: int) -> None:
        if self.is_awaited(waiting):
            self.send_soon()
