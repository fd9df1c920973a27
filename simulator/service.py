"""The service under test as its clients see it: HTTP requests with patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError, InvalidRequest, Overloaded

PASSING = frozenset({429, 502, 503, 504, 507})
"""Statuses that a later try can cure."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a client keeps trying.

    Attributes:
        attempts: Tries of one request, the first included.
        first_pause_s: Pause before the second try; each further one is twice as long.
        longest_pause_s: No pause is longer.
        sleep: Waits that many seconds.
    """

    attempts: int = 12
    first_pause_s: float = 0.1
    longest_pause_s: float = 2.0
    sleep: Callable[[float], None] = field(default=time.sleep)

    def pause(self, attempt: int) -> None:
        """Wait after the failed try number `attempt`, from 1."""
        self.sleep(min(self.first_pause_s * 2.0 ** (attempt - 1), self.longest_pause_s))


class Service:
    """A running clickloop. Safe to use from several threads.

    Args:
        base_url: Where it listens, such as "http://127.0.0.1:8080".
        collection_name: The collection that requests belong to.
        timeout_s: Longest wait for one answer.
        connections: Most connections at a time.
        retry: How requests are repeated when the service is away or overloaded.
        headers: Further headers of every request, such as an API key.
        transport: How requests travel; over the network when None.
    """

    def __init__(
        self,
        base_url: str,
        *,
        collection_name: str = DEFAULT_COLLECTION,
        timeout_s: float = 30.0,
        connections: int = 4,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        named = {} if collection_name == DEFAULT_COLLECTION else {"Clickloop-Collection": collection_name}
        self._client = httpx.Client(
            base_url=base_url,
            headers={**named, **(headers or {})},
            timeout=timeout_s,
            limits=httpx.Limits(max_connections=connections),
            transport=transport,
        )
        self._patience = retry or RetryPolicy()
        self._lock = threading.Lock()
        self._retries = 0

    @property
    def retries(self) -> int:
        """Tries repeated so far because the service was away or overloaded."""
        return self._retries

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, method: str, path: str, **content: Any) -> Any:
        """Send a request, again while the service is away or overloaded, and return the JSON it answers.

        Blocks until there is an answer or patience ends. Every try carries the same bytes, so what
        the service may see twice must bear its own ids.

        Args:
            method: HTTP method.
            path: Path below the base URL.
            content: `json=` or `content=` and `headers=`, as httpx takes them.

        Raises:
            Overloaded: No answer but connection errors and passing statuses, at every try.
            InvalidRequest: The service refused the request.
            ClickloopError: The service failed, or answered something else than JSON.
        """
        for attempt in count(1):
            try:
                answer = self._client.request(method, path, **content)
            except httpx.TransportError as problem:
                trouble = f"{type(problem).__name__} {problem}".strip()
            else:
                if answer.status_code not in PASSING:
                    return _body(answer)
                trouble = f"status {answer.status_code}"
            if attempt >= self._patience.attempts:
                raise Overloaded(f"{method} {self._client.base_url}{path} gave up after {attempt} tries: {trouble}")
            with self._lock:
                self._retries += 1
            self._patience.pause(attempt)
        raise AssertionError("counting does not end")


def _body(answer: httpx.Response) -> Any:
    said = f"{answer.request.method} {answer.request.url} answered {answer.status_code}"
    if answer.status_code >= 500:
        raise ClickloopError(f"{said}: {answer.text[:300]}")
    if answer.status_code >= 400:
        raise InvalidRequest(f"{said}: {answer.text[:300]}")
    try:
        return answer.json()
    except ValueError as problem:
        raise ClickloopError(f"{said} with something else than JSON: {answer.text[:100]!r}") from problem
