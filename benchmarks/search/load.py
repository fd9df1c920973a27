"""Searches as a load; queries come in an endless turn over all volleys.

So none finds its query remembered while there are more queries than a service remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.harness.load import Volley, shoot


class Questions:
    """Queries in an endless turn.

    Args:
        texts: The queries, each once.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = list(texts)
        self._place = 0

    def ask(self, **options: Any) -> list[dict[str, Any]]:
        """Return a body of `POST /v1/search` for every query, the one whose turn it is first."""
        order = [*range(self._place, len(self._texts)), *range(self._place)]
        return [{"query": self._texts[place], "user": f"user-{place}", **options} for place in order]

    def advance(self, asked: int) -> None:
        """Note that so many were asked."""
        self._place = (self._place + asked) % len(self._texts)


def fire(
    url: str,
    questions: Questions,
    *,
    options: dict[str, Any] | None = None,
    seconds: float,
    clients: int = 0,
    rate: float = 0.0,
    keep: bool = False,
) -> Volley:
    """Send searches for some seconds; see `benchmarks.harness.load.shoot`.

    Args:
        url: The service.
        questions: What is asked; their turn goes on.
        options: Further keys of every body.
        seconds: How long requests are sent.
        clients: Of a closed loop.
        rate: Requests a second of an open loop, when there are no clients.
        keep: Whether answers are brought home.
    """
    bodies = questions.ask(**(options or {}))
    volley = shoot(url, "/v1/search", bodies, seconds=seconds, clients=clients, rate=rate, keep=keep)
    questions.advance(len(volley.shots))
    return volley
