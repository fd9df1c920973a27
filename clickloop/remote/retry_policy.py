"""How long, and how often, the command line asks a service that is away or busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

from clickloop.remote.service import Refused
from foundation.errors import NotReady

ATTEMPTS = 8
"""Times a request is made before its last answer counts."""

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_FOR_S = 300.0
_LATER = frozenset({408, 425, 429, 502, 503, 504, 507})

_Answer = TypeVar("_Answer")


class RetryPolicy:
    """Repeats requests that may succeed later, with growing waits in which chance has a part.

    Only for requests that may be made twice. `Retry-After` is honoured: no wait is shorter, up to
    five minutes.

    Args:
        tell: Called before each wait with the reason and the seconds.
        seed: Of the chance in the waits; different for each process when None.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        tell: Callable[[str, float], None] = lambda _reason, _wait_s: None,
        seed: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tell = tell
        self._random = Random(seed)
        self._sleep = sleep

    def ask(self, request: Callable[[], _Answer]) -> _Answer:
        """Return the answer to `request`, asking up to `ATTEMPTS` times.

        Raises:
            NotReady: The service did not answer, the last time either.
            Refused: It refused for good, or was busy the last time too.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return request()
            except NotReady as problem:
                self._wait(problem.detail, attempt, 0.0)
            except Refused as problem:
                if problem.code not in _LATER:
                    raise
                self._wait(problem.detail, attempt, problem.retry_after_s)
        return request()

    def _wait(self, reason: str, attempt: int, asked_for_s: float) -> None:
        grown_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt)
        wait_s = min(asked_for_s, _LONGEST_ASKED_FOR_S) + grown_s * self._random.uniform(0.5, 1.0)
        self._tell(reason, wait_s)
        self._sleep(wait_s)
