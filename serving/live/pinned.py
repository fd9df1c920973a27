"""The evidence that running experiments pinned, in memory beside the live one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from ab_testing.api import PinnedEvidence
from foundation.errors import ClickloopError, NotReady
from foundation.telemetry.logs import get_log
from serving.live.bounded_calls import BoundedCalls
from serving.live.failures import Failures
from serving.ranking.live_evidence import LiveMemory

_WAIT_S = 0.25
_log = get_log("loader")


class PinnedMemories:
    """Loads each pinned evidence once, in a thread of its own. One thread asks.

    Args:
        load: Returns what was pinned by its digest.
    """

    def __init__(self, load: Callable[[str], PinnedEvidence]) -> None:
        self._load = load
        self._calls = BoundedCalls("store of artifacts", _WAIT_S)
        self._held: dict[str, LiveMemory] = {}
        self._failures = Failures()

    def hold(self, digest: str, beside: LiveMemory) -> LiveMemory:
        """Return what was pinned; loads it when it may be tried.

        Args:
            beside: The live evidence, whose vectors are used.

        Raises:
            NotReady: It is being loaded.
            ClickloopError: It does not load.
        """
        if digest not in self._held and self._failures.is_due(digest):
            self._try(digest, beside)
        if digest in self._held:
            return self._held[digest]
        if why := self._failures.problem(digest):
            raise ClickloopError(f"the pinned evidence does not load: {why}")
        raise NotReady("the pinned evidence is being loaded")

    def keep(self, digests: Collection[str]) -> None:
        """Forget all but these."""
        self._held = {digest: memory for digest, memory in self._held.items() if digest in digests}
        self._failures.keep(digests)

    def _try(self, digest: str, beside: LiveMemory) -> None:
        try:
            self._held[digest] = self._calls.ask(digest, partial(self._read, digest, beside))
        except TimeoutError:
            return  # it goes on, and is there when it is asked for again
        except Exception as problem:  # noqa: BLE001  any failure leaves what serves alone
            reason = str(problem) or repr(problem)
            if reason != self._failures.problem(digest):
                _log.error("pinned_evidence_does_not_load", digest=digest, problem=reason)
            self._failures.note(digest, reason)
            return
        self._failures.forget(digest)

    def _read(self, digest: str, beside: LiveMemory) -> LiveMemory:
        pinned = self._load(digest)
        memory = beside.empty()
        memory.update(pinned.queries, pinned.change)
        return memory
