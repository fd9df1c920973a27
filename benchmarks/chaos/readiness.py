"""Whether `/readyz` says what is true of the answers, moment by moment."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.chaos.traffic import TimedSearch
from foundation.clock import monotonic_s

_EVERY_S = 0.1
_TIMEOUT_S = 1.0
_AROUND_S = 1.0
_FEWEST = 3
_READY, _DEGRADED = "ready", "degraded"


@dataclass(frozen=True, slots=True)
class ReadyzAnswer:
    """What `/readyz` answered at a moment.

    Attributes:
        status: "ready", "degraded", or "" where no answer came within a second, or another one.
        problems: Its sentences.
    """

    at_s: float
    status: str
    problems: tuple[str, ...] = ()


class ReadinessWatch:
    """Asks `/readyz` ten times a second in a thread of its own.

    Attributes:
        said: Every answer so far.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.said: list[ReadyzAnswer] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with httpx.Client(base_url=self._url, timeout=_TIMEOUT_S) as client:
            while not self._stop.wait(_EVERY_S):
                self.said.append(_ask(client))


def _ask(client: httpx.Client) -> ReadyzAnswer:
    at_s = monotonic_s()
    try:
        response = client.get("/readyz")
    except httpx.TransportError:
        return ReadyzAnswer(at_s, "")
    if not response.is_success:
        return ReadyzAnswer(at_s, "")
    told: dict[str, Any] = response.json()
    return ReadyzAnswer(at_s, told["status"], tuple(told.get("problems", ())))


def untrue(said: Sequence[ReadyzAnswer], searches: Sequence[TimedSearch]) -> list[ReadyzAnswer]:
    """Return the answers of `/readyz` that the searches within a second around them contradict.

    "Ready" is contradicted when three searches or more came and none was logged in time, "degraded"
    without a sentence always, and no answer at all by any search that was answered in time.
    """
    return [one for one in said if _contradicted(one, searches)]


def _contradicted(said: ReadyzAnswer, searches: Sequence[TimedSearch]) -> bool:
    near = [one for one in searches if abs(one.at_s - said.at_s) <= _AROUND_S]
    if said.status == _READY:
        return len(near) >= _FEWEST and not any(one.in_time and one.logged for one in near)
    if said.status == _DEGRADED:
        return not said.problems
    return any(one.in_time for one in near)
