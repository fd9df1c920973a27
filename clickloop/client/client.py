"""The client for apps on threads."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

from clickloop.client.answer import Answer, Hit
from clickloop.client.async_client import AsyncClient
from clickloop.client.options import ContextOptions, RankOptions, SearchOptions
from clickloop.client.passages import Context
from clickloop.client.relevance import RelevanceRevision, RelevanceSettings, SettingsKind
from clickloop.client.reporter import Reporter

Result = TypeVar("Result")

_log = logging.getLogger("clickloop.client")


class Client(Reporter):
    """Searches a collection, or ranks for another engine, and reports events to it; any number of threads may use one.

    Reporting only queues: a thread sends in batches, again and again under the same ids, until the
    service acknowledges. What is queued lives in memory, so close the client before the process ends;
    what is lost without that is logged. Make a client after a fork, not before.

    Args:
        url: Address of the service.
        collection: Named when given; else the service takes the key's, or `default`.
        key: Sent as bearer token when given.
        strict: Raise where an event finds no room, and at the next flush what the service refused;
            else both are counted and logged.
        capacity: Most events that wait at once.
        at_once: Most events in one request.
        linger_s: How long a first event waits for others before it is sent.
        timeout_s: Longest wait for the answer to one request.
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
        self._inner = AsyncClient(
            url,
            collection,
            key,
            strict=strict,
            capacity=capacity,
            at_once=at_once,
            linger_s=linger_s,
            timeout_s=timeout_s,
        )
        super().__init__(self._inner.outbox, strict=strict)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clickloop client", daemon=True)
        self._thread.start()
        atexit.register(self._log_loss)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        user: str = "",
        session: str = "",
        filters: Mapping[str, Any] | None = None,
        **more: Unpack[SearchOptions],
    ) -> Answer:
        """Return what the service finds; blocks until it answers.

        Args:
            more: Further fields of the request, such as `offset=10`; see `SearchOptions`.

        Raises:
            RequestRefused: The service refused it; `fields` names where.
            Undelivered: The service could not be reached.
        """
        return self._wait(self._inner.search(query, limit=limit, user=user, session=session, filters=filters, **more))

    def scan(self, query: str, *, limit: int = 100, **more: Any) -> Iterator[Hit]:
        """Yield all that a search matches, however much it is, by cursors; raises what `search` does.

        Args:
            limit: Results in one request.
            more: As of `search`, without offset.
        """
        cursor = "*"
        while cursor:
            answer = self.search(query, limit=limit, cursor=cursor, **more)
            yield from answer.hits
            cursor = answer.cursor

    def rank(
        self,
        query: str,
        candidates: Sequence[Mapping[str, Any]],
        *,
        user: str = "",
        session: str = "",
        **more: Unpack[RankOptions],
    ) -> Answer:
        """Return another engine's candidates in the order in which to show them; blocks until the service answers.

        Args:
            candidates: In that engine's order, each with its `id`, and `rank`, `score`, `title` where they are known.
            more: Further fields of the request, such as `limit=10`; see `RankOptions`.

        Raises:
            RequestRefused: The service refused it; `fields` names where.
            Undelivered: The service could not be reached; show the candidates as the engine has them.
        """
        return self._wait(self._inner.rank(query, candidates, user=user, session=session, **more))

    def suggest(self, q: str, *, limit: int = 8) -> list[str]:
        """Return completions of what was typed so far, the best first; raises what `search` does."""
        return self._wait(self._inner.suggest(q, limit=limit))

    def context(
        self,
        question: str,
        *,
        budget_tokens: int = 1000,
        user: str = "",
        session: str = "",
        **more: Unpack[ContextOptions],
    ) -> Context:
        """Return the passages that answer a question; raises what `search` does.

        Args:
            budget_tokens: Most tokens, counted as four characters each.
            more: Further fields of the request, such as `documents=5`; see `ContextOptions`.
        """
        return self._wait(
            self._inner.context(question, budget_tokens=budget_tokens, user=user, session=session, **more)
        )

    def relevance(self, revision: int | None = None) -> RelevanceSettings:
        """Return all settings of the owner's that serve, or those of a revision; raises what `search` does."""
        return self._wait(self._inner.relevance(revision))

    def change(
        self,
        kind: SettingsKind,
        changes: Mapping[str, Mapping[str, Any] | None],
        *,
        note: str = "",
        draft: bool = False,
    ) -> RelevanceSettings:
        """Change settings of the owner's and return those of this kind; raises what `search` does.

        Needs a key of the role `admin` where the service requires keys.

        Args:
            changes: By name; None withdraws one, and those that are not named stay.
            note: Why, for people who read the history.
            draft: Whether it waits for an experiment, or for `serve`.
        """
        return self._wait(self._inner.change(kind, changes, note=note, draft=draft))

    def revisions(self, limit: int = 100) -> list[RelevanceRevision]:
        """Return who changed the settings, when and why, the last one first; raises what `search` does."""
        return self._wait(self._inner.revisions(limit))

    def serve(self, revision: int, note: str = "") -> RelevanceSettings:
        """Let a draft or an earlier revision serve, as a new one that says the same; raises what `search` does."""
        return self._wait(self._inner.serve(revision, note))

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until all that was reported so far is acknowledged or refused.

        Raises:
            Undelivered: It is not within `timeout_s`; the events wait on.
            EventsRefused: In strict mode: the service refused some since the last flush.
        """
        self._wait(self._inner.flush(timeout_s))

    def close(self, timeout_s: float = 10.0) -> None:
        """Flush, then stop. Closing again does nothing.

        Raises:
            Undelivered: Events were still waiting after `timeout_s`; they are lost.
            EventsRefused: As `flush`.
        """
        if self._loop.is_closed():
            return
        self.closed = True
        atexit.unregister(self._log_loss)
        try:
            self._wait(self._inner.close(timeout_s))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()  # its loop has just been told to stop, and nothing in it blocks
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _notify(self, waiting: int) -> None:
        if self._inner.is_awaited(waiting):
            self._loop.call_soon_threadsafe(self._inner.send_soon)

    def _log_loss(self) -> None:
        """Log what a process loses that ends without having closed its client."""
        if waiting := self.counts.waiting:
            _log.error("the process ends with %d events undelivered; close the client before", waiting)
