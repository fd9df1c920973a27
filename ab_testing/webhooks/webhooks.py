"""Messages about decisions: kept with the decision, sent by whoever holds the lease, again until they arrive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from ab_testing.design.experiment import Decision
from ab_testing.report.scorecard import Scorecard
from ab_testing.webhooks import store
from ab_testing.webhooks.message import compose, sign
from ab_testing.webhooks.sender import Attempt, send
from ab_testing.webhooks.store import WebhookDelivery
from foundation.clock import Clock, SystemClock
from foundation.database.engine import reading, transaction
from foundation.database.leases import Leases
from foundation.processes.rounds import Rounds
from foundation.retries import RetryPolicy
from foundation.sections import WebhookSettings
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import WEBHOOK_ATTEMPTS

LEASE = "webhooks"
POLICY = RetryPolicy(attempts=20, first_pause_s=5.0, max_pause_s=6 * 3600.0)
"""Some 40 hours of attempts: a receiver may be away for a night and a day."""

_LEASE_DURATION = timedelta(seconds=60)
_EVERY_S = 1.0
_AT_ONCE = 16
_log = get_log("webhooks")


class DecisionOutbox:
    """Keeps a message for each receiver in the transaction of the decision that it tells."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._urls = settings.webhooks()

    def put(self, connection: sa.Connection, card: Scorecard, decision: Decision) -> None:
        """Add the messages about a decision."""
        collection = card.experiment.collection
        store.insert(
            connection,
            [
                WebhookDelivery(
                    collection, decision.id, number, url, compose(card, decision), "waiting", 0, decision.at, ""
                )
                for number, url in enumerate(self._urls)
            ],
        )


class WebhookSender:
    """Sends what waits. Of all processes, the one with the lease does; a message may arrive twice, with the same id."""

    def __init__(self, engine: sa.Engine, clock: Clock, settings: WebhookSettings, leases: Leases) -> None:
        self._engine = engine
        self._clock = clock
        self._settings = settings
        self._leases = leases

    def run(self, stop: threading.Event) -> None:
        """Send what waits, until `stop` is set; nothing where no receiver is set up."""
        rounds = Rounds("sending of webhooks")
        while self._settings.webhooks() and not stop.wait(_EVERY_S):
            with rounds.guarded():
                self.send_due()

    def send_due(self) -> int:
        """Make one attempt for each message whose time has come, all at once; return how many."""
        with reading(self._engine) as connection:
            waits = bool(store.due(connection, self._clock.now(), 1))
        lease = self._leases.take(LEASE, _LEASE_DURATION) if waits else None
        if lease is None:
            return 0
        with self._leases.guarded(lease), transaction(self._engine) as connection:
            messages = store.due(connection, self._clock.now(), _AT_ONCE)
        attempts = asyncio.run(self._attempt_all(messages))
        with self._leases.guarded(lease), transaction(self._engine) as connection:
            for message, attempt in zip(messages, attempts, strict=True):
                store.record(connection, self._after(message, attempt))
        return len(messages)

    async def _attempt_all(self, messages: Sequence[WebhookDelivery]) -> list[Attempt]:
        return await asyncio.gather(*map(self._attempt, messages))

    async def _attempt(self, message: WebhookDelivery) -> Attempt:
        if message.url not in self._settings.webhooks():
            return Attempt("forbidden", "its receiver is not set up any more")
        at = int(SystemClock().now().timestamp())  # receivers compare it with their own clock
        headers = sign(self._settings.webhook_secrets(), message.decision, at, message.body)
        return await send(message.url, message.body, headers, private=self._settings.webhook_private)

    def _after(self, message: WebhookDelivery, attempt: Attempt) -> WebhookDelivery:
        WEBHOOK_ATTEMPTS.labels(attempt.result).inc()
        number, now = message.attempts + 1, self._clock.now()
        _log.info(
            "webhook attempt", decision=message.decision, attempt=number, result=attempt.result, told=attempt.told
        )
        tried = replace(message, attempts=number, told=attempt.told, next_at=now)
        if attempt.result == "delivered":
            return replace(tried, state="delivered")
        if number >= POLICY.attempts:
            return replace(tried, state="given_up")
        return replace(tried, next_at=now + timedelta(seconds=POLICY.pause_s(number)))
