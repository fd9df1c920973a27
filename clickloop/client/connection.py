"""HTTP to one collection of a service, on an event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import httpx

from clickloop.client.answer import Answer
from clickloop.client.errors import RequestRefused, Undelivered
from foundation.clock import SystemClock
from foundation.errors import NotReady
from foundation.http_client import Refused, away, describe, make_headers, refusal
from foundation.retries import RetryPolicy

Told = TypeVar("Told")

_UNAVAILABLE = 503
_SEARCHES = RetryPolicy(
    attempts=3, first_pause_s=0.2, max_retry_after_s=1.0, statuses=frozenset({_UNAVAILABLE})
)  # a person waits for the answer
_CLOCK = SystemClock()


class Connection:
    """HTTP to one collection of a service. Bound to the event loop that first uses it."""

    def __init__(self, url: str, collection: str | None, key: str | None, timeout_s: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address of a service; it begins with http:// or https://")
        self.url = url.rstrip("/")
        headers = {"Content-Type": "application/json"} | make_headers(collection, key)
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=timeout_s)

    async def ask(self, path: str, ask: dict[str, Any]) -> Answer:
        """Return the answer to a search or a request to rank; raises what `call` does."""
        return await self.call("POST", path, Answer.from_json, body=ask)

    async def call(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, Any]], Told],
        *,
        body: dict[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Told:
        """Return what the service tells; asks again where the first ask was surely not taken.

        Args:
            read: Reads its JSON.

        Raises:
            RequestRefused: The service refused it; `fields` names where.
            Undelivered: It could not be reached, or said three times to come back later.
        """
        try:
            reply = await _SEARCHES.ask_async(partial(self._ask, method, path, body, params))
        except NotReady as problem:
            raise Undelivered(problem.detail) from problem
        except Refused as problem:
            raise (Undelivered if problem.code >= 500 else RequestRefused)(problem.detail, problem.fields) from problem
        try:
            return read(reply.json())
        except (ValueError, KeyError, TypeError) as problem:
            raise Undelivered(f"{reply.url} is no clickloop service; it answered {reply.text[:200]!r}") from problem

    async def post_events(self, body: bytes) -> httpx.Response:
        """Return the reply to a batch of events; httpx.RequestError when there is none."""
        sent_at = _CLOCK.now().isoformat()  # so that a wrong clock of this machine does no harm
        return await self._http.post("/v1/events", content=body, params={"sent_at": sent_at})

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, params: Mapping[str, Any] | None
    ) -> httpx.Response:
        try:
            reply = await self._http.request(method, path, json=body, params=params)
        except httpx.ConnectError as problem:
            raise away(self.url, problem) from problem
        except httpx.RequestError as problem:
            raise Undelivered(f"{self.url} did not answer: {describe(problem)}") from problem
        if not reply.is_success:
            raise refusal(reply)
        return reply
