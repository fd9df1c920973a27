"""How often a request to a service that is away or busy is sent again, and after how long."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from foundation.errors import ClickloopError, NotReady
from foundation.http_client import Refused

ATTEMPTS = 8
"""Times a request is made before its last answer counts, where a caller asks for no other number."""

TRANSIENT = frozenset({408, 425, 429, 502, 503, 504, 507})
"""HTTP statuses that a later attempt may not meet."""

_MAX_DOUBLINGS = 30

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class RetryPolicy:
    """Repeats requests that may succeed later, with growing pauses in which chance has a part.

    Only for requests that may be made twice. `Retry-After` is honoured: no pause is shorter, up to a limit.

    Attributes:
        tell: Called before each pause with the reason and the seconds.
        seed: Of the chance in the pauses; different for each policy when None.
        sleep: Waits for some seconds, in `ask`.
        attempts: Times a request is made, the first included.
        first_pause_s: Pause before the second attempt; each further one is twice as long.
        max_pause_s: No pause grows longer.
        max_retry_after_s: The longest `Retry-After` that is honoured.
        jitter: Share of a pause that chance may take away, so that many clients do not come at once.
        statuses: What an answer may be for the request to be made again.
    """

    tell: Callable[[str, float], None] = lambda _reason, _pause_s: None
    seed: int | None = None
    sleep: Callable[[float], None] = time.sleep
    attempts: int = ATTEMPTS
    first_pause_s: float = 0.5
    max_pause_s: float = 30.0
    max_retry_after_s: float = 300.0
    jitter: float = 0.5
    statuses: frozenset[int] = TRANSIENT

    def ask(self, request: Callable[[], _Answer]) -> _Answer:
        """Return the answer to `request`, which is made up to `attempts` times.

        Raises:
            NotReady: The service did not answer, the last time either.
            Refused: It refused for good, or was busy the last time too.
        """
        return Retrying(sleep=self.sleep, **self._rules())(request)

    async def ask_async(self, request: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Do the same on an event loop."""
        return await AsyncRetrying(**self._rules())(request)

    def pause_s(self, attempt: int, retry_after_s: float = 0.0) -> float:
        """Return how long to wait after attempt number `attempt`, from 1."""
        grown_s = min(self.max_pause_s, self.first_pause_s * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS))
        asked_s = min(retry_after_s, self.max_retry_after_s)
        return asked_s + grown_s * self._random.uniform(1 - self.jitter, 1)

    def may_pass(self, problem: BaseException) -> bool:
        """Return whether a later attempt may not meet a problem."""
        return isinstance(problem, NotReady) or (isinstance(problem, Refused) and problem.code in self.statuses)

    @cached_property
    def _random(self) -> Random:
        return Random(self.seed)

    def _rules(self) -> dict[str, Any]:
        return {
            "retry": retry_if_exception(self.may_pass),
            "stop": stop_after_attempt(self.attempts),
            "wait": self._wait_s,
            "before_sleep": lambda state: self.tell(_problem(state).detail, state.upcoming_sleep),
            "reraise": True,
        }

    def _wait_s(self, state: RetryCallState) -> float:
        problem = _problem(state)
        return self.pause_s(state.attempt_number, problem.retry_after_s if isinstance(problem, Refused) else 0.0)


def _problem(state: RetryCallState) -> ClickloopError:
    """Return why an attempt failed."""
    problem = state.outcome.exception() if state.outcome else None
    assert isinstance(problem, ClickloopError)  # noqa: S101  `may_pass` lets no other be repeated
    return problem
