"""Sends what an outbox holds, in batches, until the service acknowledges it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx

from clickloop.client.connection import Connection
from clickloop.client.errors import EventsRefused, Undelivered
from clickloop.client.outbox import Event, Outbox, Refusal
from foundation.errors import FieldFault
from foundation.http_client import describe, refusal
from foundation.retries import RetryPolicy

_POLICY = RetryPolicy(first_pause_s=0.2, max_retry_after_s=60.0)
"""Events are sent again without end; of the policy, the pauses count."""

_TOO_LARGE = 413
_INVALID = 422

_log = logging.getLogger("clickloop.client")


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """What the service said of a batch, by event id: refusals for good, and seconds to wait for what may come again."""

    refused: dict[str, Refusal]
    waits_s: dict[str, float]


class Delivery:
    """The background task that sends a client's events; everything but `notify` runs on one event loop."""

    def __init__(self, connection: Connection, outbox: Outbox, at_once: int, linger_s: float, *, strict: bool) -> None:
        self.at_once = at_once
        self._connection = connection
        self._outbox = outbox
        self._linger_s = linger_s
        self._strict = strict
        self._wake = asyncio.Event()
        self._settled = asyncio.Condition()
        self._flushing = 0
        self._problem = "nothing was sent yet"
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start, unless it runs."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="clickloop delivery")
            self._task.add_done_callback(_tell_end)

    def notify(self) -> None:
        """Tell that there is something to do; on the loop's thread."""
        self._wake.set()

    async def flush(self, timeout_s: float) -> None:
        """Wait until all that is queued now is settled.

        Raises:
            Undelivered: It is not within `timeout_s`; the events wait on.
            EventsRefused: In strict mode: some were refused since the last time.
        """
        self.start()
        wanted = self._outbox.ids()
        self._flushing += 1
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s), self._settled:
                await self._settled.wait_for(lambda: self._is_over(wanted))
        except TimeoutError as problem:
            waiting = self._outbox.counts().waiting
            detail = f"{waiting} events still wait for {self._connection.url} after {timeout_s:g} s: {self._problem}"
            raise Undelivered(detail) from problem
        finally:
            self._flushing -= 1
        self._raise_refusals()

    async def stop(self) -> None:
        """Stop sending; what waits stays in the outbox."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _is_over(self, wanted: frozenset[str]) -> bool:
        if self._task and self._task.done():
            self._task.result()  # raises what ended it
        return not self._outbox.holds(wanted)

    def _raise_refusals(self) -> None:
        refusals = self._outbox.take_refusals()
        if refusals and self._strict:
            raise EventsRefused(
                f"the service refused {len(refusals)} events; the first: {refusals[0]}", refusals=refusals
            )

    async def _run(self) -> None:
        try:
            failures = 0
            while True:
                await self._gather()
                pause_s = await self._send(self._outbox.head(self.at_once), failures + 1)
                failures = failures + 1 if pause_s else 0
                await self._rest(pause_s)
        finally:
            async with self._settled:
                self._settled.notify_all()

    async def _gather(self) -> None:
        """Wait for a first event, then a little for others, unless somebody waits for them."""
        while not self._outbox.ready():
            await self._rest(self._outbox.due_in_s())
        if not self._flushing and self._outbox.ready() < self.at_once:
            await self._rest(self._linger_s)

    async def _rest(self, max_s: float | None) -> None:
        """Wait until notified, at most so long where that is told."""
        if max_s == 0:
            return
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max_s):
                await self._wake.wait()

    async def _send(self, batch: Sequence[Event], attempt: int) -> float:
        """Send a batch; return how long to rest before the next attempt, 0 when it is settled."""
        try:
            reply = await self._connection.post_events(b"[" + b",".join(event.body for event in batch) + b"]")
        except httpx.RequestError as problem:
            return self._postpone(describe(problem), attempt)
        verdicts = _read_verdicts(reply, batch)
        if verdicts is None and reply.status_code in {_TOO_LARGE, _INVALID}:
            if len(batch) > 1:
                self.at_once = len(batch) // 2
                return 0.0
            verdicts = _Verdicts({batch[0].id: _refusal(batch[0], FieldFault("body", refusal(reply).detail))}, {})
        if verdicts is None:
            refused = refusal(reply)
            return self._postpone(refused.detail, attempt, refused.retry_after_s)
        await self._settle(batch, verdicts)
        return 0.0

    async def _settle(self, batch: Sequence[Event], verdicts: _Verdicts) -> None:
        for refused in verdicts.refused.values():
            _log.error("the service refused an event: %s", refused)
        if verdicts.waits_s:
            self._problem = f"the service put off {len(verdicts.waits_s)} events of users who send too many"
            _log.warning("%s, the same are sent again later", self._problem)
        self._outbox.settle([event for event in batch if event.id not in verdicts.waits_s], verdicts.refused)
        self._outbox.put_off(verdicts.waits_s)
        async with self._settled:
            self._settled.notify_all()

    def _postpone(self, problem: str, attempt: int, retry_after_s: float = 0.0) -> float:
        self._problem = problem
        pause_s = _POLICY.pause_s(attempt, retry_after_s)
        _log.warning(
            "%s did not take events, the same are sent again in %.1f s: %s", self._connection.url, pause_s, problem
        )
        return pause_s


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()):
        _log.critical("no more events are sent; the next flush raises why", exc_info=problem)


def _read_verdicts(reply: httpx.Response, batch: Sequence[Event]) -> _Verdicts | None:
    """Return what is said of the events of a batch; None when the service judged none of them."""
    try:
        found = _Verdicts({}, {})
        for verdict in reply.json()["verdicts"]:
            event = batch[verdict["index"]]
            if wait_s := verdict.get("retry_after_s"):
                found.waits_s[event.id] = float(wait_s)
            elif verdict["status"] == "refused":
                found.refused[event.id] = _refusal(event, *(FieldFault(**fault) for fault in verdict["fields"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return found


def _refusal(event: Event, *faults: FieldFault) -> Refusal:
    return Refusal(event.body.decode(), faults)
