"""Calls of a store that may hang: the caller waits no longer than a limit, and a late answer is not lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar, cast

Answer = TypeVar("Answer")
_MOMENT_S = 0.1


class BoundedCalls:
    """Calls under way, by name; one thread asks.

    A call that hangs goes on in a thread of its own; asking for it again gives its answer once it has come. While
    one hangs, the next are waited for a moment only. Threads are daemons, so none keeps the process alive.

    Args:
        store: Its name in messages.
        limit_s: How long an answer is waited for.
    """

    def __init__(self, store: str, limit_s: float) -> None:
        self._store = store
        self._limit_s = limit_s
        self._under_way: dict[str, Future[object]] = {}

    def ask(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Return what `call` does, or did when it was asked for before under this name.

        Raises:
            TimeoutError: It has not answered within the limit.
        """
        hanging = any(not one.done() for one in self._under_way.values())
        answer = self._under_way.get(name) or self._start(name, call)
        wait([answer], _MOMENT_S if hanging else self._limit_s)
        if not answer.done():
            raise TimeoutError(f"the {self._store} does not answer")
        del self._under_way[name]
        return cast("Answer", answer.result())

    def _start(self, name: str, call: Callable[[], object]) -> Future[object]:
        answer = self._under_way[name] = Future()

        def run() -> None:
            try:
                answer.set_result(call())
            except BaseException as problem:  # noqa: BLE001  any failure is handed to the caller
                answer.set_exception(problem)

        threading.Thread(target=run, name="store", daemon=True).start()
        return answer
