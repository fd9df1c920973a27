"""HTTP to one collection of a service."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import httpx

from clickloop.client.answer import Answer
from clickloop.client.errors import RequestRefused, Undelivered
from foundation.clock import SystemClock
from foundation.errors import FieldFault

_SEARCH_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 30.0
_UNAVAILABLE = 503
_CLOCK = SystemClock()


class Connection:
    """A service's address, the collection and the key. Bound to the event loop that first uses it.

    Args:
        url: Address of the service.
        collection: Named when not None; else the service takes the key's, or `default`.
        key: Sent as bearer token when not None.
        random: Spreads the pauses of many clients.
    """

    def __init__(self, url: str, collection: str | None, key: str | None, timeout_s: float, random: Random) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address of a service; it begins with http:// or https://")
        self.url = url.rstrip("/")
        self._random = random
        headers = {"Content-Type": "application/json"}
        if collection is not None:
            headers["Clickloop-Collection"] = collection
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=timeout_s)

    async def search(self, ask: dict[str, Any]) -> Answer:
        """Return the answer to a search; asks again where the service surely did not take the first ask.

        Raises:
            RequestRefused: The service refused it; `fields` names where.
            Undelivered: It could not be reached, or said three times to come back later.
        """
        for attempt in range(1, _SEARCH_ATTEMPTS + 1):
            last = attempt == _SEARCH_ATTEMPTS
            try:
                reply = await self._http.post("/v1/search", json=ask)
            except httpx.ConnectError as problem:
                if last:
                    raise Undelivered(f"no service answers at {self.url}: {problem}") from problem
            except httpx.RequestError as problem:
                raise Undelivered(f"{self.url} did not answer the search: {describe(problem)}") from problem
            else:
                if reply.is_success:
                    return _answer(reply)
                if reply.status_code != _UNAVAILABLE or last:
                    raise _refusal(reply)
            await asyncio.sleep(self.pause_s(attempt))
        raise AssertionError("the last attempt returns or raises")

    async def post_events(self, body: bytes) -> httpx.Response:
        """Return the reply to a batch of events; httpx.RequestError when there is none."""
        sent_at = _CLOCK.now().isoformat()  # so that a wrong clock of this machine does no harm
        return await self._http.post("/v1/events", content=body, params={"sent_at": sent_at})

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    def pause_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row: twice as long each time, jittered."""
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 30))
        return longest * self._random.uniform(0.5, 1.0)


def problem_of(reply: httpx.Response) -> tuple[str, tuple[FieldFault, ...]]:
    """Return what a problem document says, and the fields it names; whatever answered instead is quoted."""
    try:
        document = reply.json()
        faults = tuple(FieldFault(fault["field"], fault["reason"]) for fault in document["errors"])
        return f"{reply.status_code} {document['detail']}", faults
    except (ValueError, KeyError, TypeError):
        return f"{reply.status_code} {reply.text[:200]}", ()


def describe(problem: Exception) -> str:
    """Return an exception's words, its kind where it has none."""
    return str(problem) or type(problem).__name__


def _answer(reply: httpx.Response) -> Answer:
    try:
        return Answer.from_json(reply.json())
    except (ValueError, KeyError, TypeError) as problem:
        raise Undelivered(f"{reply.url} is no clickloop service; it answered {reply.text[:200]!r}") from problem


def _refusal(reply: httpx.Response) -> RequestRefused | Undelivered:
    detail, faults = problem_of(reply)
    return (Undelivered if reply.status_code >= 500 else RequestRefused)(detail, faults)
