"""The client for apps on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self, Unpack

from clickloop.client.answer import Answer, Hit
from clickloop.client.connection import Connection
from clickloop.client.delivery import Delivery
from clickloop.client.options import ContextOptions, RankOptions, SearchOptions
from clickloop.client.outbox import Outbox
from clickloop.client.passages import Context
from clickloop.client.relevance import RelevanceRevision, RelevanceSettings, SettingsKind
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
        **more: Unpack[RankOptions],
    ) -> Answer:
        """Return another engine's candidates in the order in which to show them; as `Client.rank`."""
        listed = [dict(one) for one in candidates]
        ask = {"query": query, "candidates": listed, "user": user, "session": session} | more
        return await self._connection.ask("/v1/rank", ask)

    async def suggest(self, q: str, *, limit: int = 8) -> list[str]:
        """Return completions of what was typed so far; as `Client.suggest`."""
        params = {"q": q, "limit": limit}
        return await self._connection.call("GET", "/v1/suggest", lambda told: list(told["suggestions"]), params=params)

    async def context(
        self,
        question: str,
        *,
        budget_tokens: int = 1000,
        user: str = "",
        session: str = "",
        **more: Unpack[ContextOptions],
    ) -> Context:
        """Return the passages that answer a question; as `Client.context`."""
        ask = {"question": question, "budget_tokens": budget_tokens, "user": user, "session": session} | more
        return await self._connection.call("POST", "/v1/context", Context.from_json, body=ask)

    async def relevance(self, revision: int | None = None) -> RelevanceSettings:
        """Return the owner's settings that serve, or those of a revision; as `Client.relevance`."""
        path = "/v1/relevance" if revision is None else f"/v1/relevance/revisions/{revision}"
        return await self._connection.call("GET", path, RelevanceSettings.from_json)

    async def change(
        self,
        kind: SettingsKind,
        changes: Mapping[str, Mapping[str, Any] | None],
        *,
        note: str = "",
        draft: bool = False,
    ) -> RelevanceSettings:
        """Change settings of the owner's by name; as `Client.change`."""
        params = {"note": note} | ({"draft": "true"} if draft else {})
        body = {name: None if one is None else dict(one) for name, one in changes.items()}
        return await self._connection.call("PUT", f"/v1/{kind}", RelevanceSettings.from_json, body=body, params=params)

    async def revisions(self, limit: int = 100) -> list[RelevanceRevision]:
        """Return who changed the settings, when and why, the last one first."""
        return await self._connection.call("GET", "/v1/relevance/revisions", _read_revisions, params={"limit": limit})

    async def serve(self, revision: int, note: str = "") -> RelevanceSettings:
        """Let a draft or an earlier revision serve; as `Client.serve`."""
        path = f"/v1/relevance/revisions/{revision}/serve"
        return await self._connection.call("POST", path, RelevanceSettings.from_json, body={"note": note})

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


def _read_revisions(told: dict[str, Any]) -> list[RelevanceRevision]:
    return [RelevanceRevision.from_json(one) for one in told["revisions"]]
