"""The service under test as its simulated visitors reach it: they ask again while it is away or overloaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx

from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError, InvalidRequest, NotReady, Overloaded
from foundation.http_client import Refused, ServiceClient
from foundation.retries import RetryPolicy

_TIMEOUT_S = 30.0
_POLICY = RetryPolicy(attempts=12, first_pause_s=0.1, max_pause_s=2.0, max_retry_after_s=2.0, jitter=0.0)


def visitor_policy(attempts: int = 12, sleep: Callable[[float], None] = _POLICY.sleep) -> RetryPolicy:
    """Return how visitors ask again: soon, and with pauses that are the same in every run."""
    return replace(_POLICY, attempts=attempts, sleep=sleep)


class VisitorClient:
    """A running service, as several threads of visitors use it.

    Args:
        connections: Most connections at a time.
        transport: How requests travel; over the network when None.
    """

    def __init__(
        self,
        url: str,
        collection: str = DEFAULT_COLLECTION,
        connections: int = 4,
        *,
        retry: RetryPolicy = _POLICY,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        named = None if collection == DEFAULT_COLLECTION else collection
        limits = httpx.Limits(max_connections=connections)
        self._service = ServiceClient(url, named, _TIMEOUT_S, limits=limits, transport=transport)
        self._retry = replace(retry, tell=self._count)
        self._lock = threading.Lock()
        self._retries = 0

    @property
    def retries(self) -> int:
        """Attempts repeated so far because the service was away or overloaded."""
        return self._retries

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def send(self, method: str, path: str, **content: Any) -> Any:
        """Send a request, again while the service is away or overloaded, and return the JSON it answers.

        Blocks until there is an answer or the attempts are used up. Every attempt carries the same bytes, so what
        the service may see twice must bear its own ids.

        Raises:
            Overloaded: At every attempt the service was away or overloaded.
            InvalidRequest: The service refused the request.
            ClickloopError: The service failed, or answered something else than JSON.
        """
        where = f"{method} {self._service.url}{path}"
        try:
            return self._retry.ask(partial(self._service.send, method, path, **content))
        except NotReady as problem:
            raise self._gave_up(where, problem.detail) from problem
        except Refused as problem:
            if self._retry.may_pass(problem):
                raise self._gave_up(where, f"status {problem.detail}") from problem
            kind = ClickloopError if problem.code >= 500 else InvalidRequest
            words = problem.detail.removeprefix(f"{problem.code} ")
            raise kind(f"{where} answered {problem.code}: {words}") from problem

    def _gave_up(self, where: str, trouble: str) -> Overloaded:
        return Overloaded(f"{where} gave up after {self._retry.attempts} tries: {trouble}")

    def _count(self, _reason: str, _pause_s: float) -> None:
        with self._lock:
            self._retries += 1
