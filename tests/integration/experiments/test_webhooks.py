"""Decisions are told: kept with the decision, sent until they arrive, and given up in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from ab_testing.api import DecisionOutbox, Experiments, WebhookSender
from ab_testing.webhooks import webhooks
from ab_testing.webhooks.http import make_router
from ab_testing.webhooks.sender import Attempt
from ab_testing.webhooks.store import WebhookDelivery, latest
from foundation.clock import FrozenClock
from foundation.database.engine import reading
from foundation.database.leases import Leases
from foundation.settings import Settings
from tests.integration.experiments.conftest import make_plan

SECRET = "whsec_" + "A" * 32
SETTINGS = Settings(webhook_urls="https://one.example/hook https://two.example/hook", webhook_secret=SECRET)


class Network:
    """What receivers answer, and what they got."""

    def __init__(self) -> None:
        self.results = {"one": "delivered", "two": "delivered"}
        self.got: list[tuple[str, str, str]] = []

    async def send(self, url: str, body: str, headers: Mapping[str, str], *, private: bool) -> Attempt:
        assert not private
        name = url.split("//")[1].split(".", maxsplit=1)[0]
        self.got.append((name, headers["webhook-id"], body))
        return Attempt(self.results[name], f"{name} said so")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(webhooks, "send", network.send)
    return network


def told(engine: sa.Engine) -> list[WebhookDelivery]:
    with reading(engine) as connection:
        return latest(connection, "default", 10)


def decide(engine: sa.Engine, clock: FrozenClock) -> str:
    experiments = Experiments(engine, clock, outbox=DecisionOutbox(SETTINGS))
    experiment = experiments.create("default", make_plan())
    experiments.start("default", experiment.id)
    experiments.stop("default", experiment.id, "holiday", actor="key:ann")
    return experiments.decisions("default", experiment.id)[0].id


def make_sender(engine: sa.Engine, clock: FrozenClock, name: str = "a", settings: Settings = SETTINGS) -> WebhookSender:
    return WebhookSender(engine, clock, settings, Leases(engine, clock, name))


def test_every_receiver_hears_of_a_decision_once(any_engine: sa.Engine, clock: FrozenClock, network: Network) -> None:
    decision = decide(any_engine, clock)
    sender = make_sender(any_engine, clock)
    assert sender.send_due() == 2
    assert sender.send_due() == 0
    assert sorted((name, message) for name, message, _ in network.got) == [("one", decision), ("two", decision)]
    data: dict[str, Any] = json.loads(network.got[0][2])["data"]
    assert (data["verdict"], data["actor"], data["decision"]) == ("stopped", "key:ann", decision)
    assert data["sentence"] == "Stopped without a verdict: holiday."
    assert {one.state for one in told(any_engine)} == {"delivered"}


def test_a_decision_that_is_not_kept_is_not_told(any_engine: sa.Engine, clock: FrozenClock) -> None:
    experiments = Experiments(any_engine, clock, outbox=DecisionOutbox(SETTINGS))
    experiment = experiments.create("default", make_plan())
    experiments.start("default", experiment.id)
    with pytest.raises(RuntimeError), any_engine.begin() as connection:
        experiments.end_for(connection, "default", "the champion moves", "local")
        raise RuntimeError
    assert told(any_engine) == []


def test_a_receiver_that_is_away_hears_later_and_delays_no_other(
    any_engine: sa.Engine, clock: FrozenClock, network: Network
) -> None:
    decide(any_engine, clock)
    sender, network.results["two"] = make_sender(any_engine, clock), "failed"
    sender.send_due()
    assert [(one.state, one.attempts) for one in told(any_engine)] == [("delivered", 1), ("waiting", 1)]
    assert sender.send_due() == 0, "its time has not come"
    network.results["two"] = "delivered"
    clock.advance(timedelta(seconds=6))
    assert sender.send_due() == 1
    assert network.got[-1][1] == network.got[0][1], "the same id, for receivers that got it twice"


def test_after_the_last_attempt_it_is_given_up_and_seen(
    any_engine: sa.Engine, clock: FrozenClock, network: Network
) -> None:
    decide(any_engine, clock)
    sender, network.results["one"] = make_sender(any_engine, clock), "refused"
    for _ in range(webhooks.POLICY.attempts + 3):
        sender.send_due()
        clock.advance(timedelta(hours=7))
    assert len(network.got) == webhooks.POLICY.attempts + 1
    app = FastAPI()
    app.include_router(make_router(any_engine))
    deliveries = TestClient(app).get("/v1/webhooks").json()["deliveries"]
    assert [(one["host"], one["state"], one["told"]) for one in deliveries] == [
        ("one.example", "given_up", "one said so"),
        ("two.example", "delivered", "two said so"),
    ]


def test_only_the_holder_of_the_lease_sends(any_engine: sa.Engine, clock: FrozenClock, network: Network) -> None:
    decide(any_engine, clock)
    assert make_sender(any_engine, clock, "a").send_due() == 2
    decide(any_engine, clock)
    assert make_sender(any_engine, clock, "b").send_due() == 0


def test_a_receiver_that_is_not_set_up_any_more_hears_nothing(
    any_engine: sa.Engine, clock: FrozenClock, network: Network
) -> None:
    decide(any_engine, clock)
    fewer = Settings(webhook_urls="https://one.example/hook", webhook_secret=SECRET)
    make_sender(any_engine, clock, settings=fewer).send_due()
    assert [name for name, _, _ in network.got] == ["one"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_urls": "https://one.example/hook"},
        {"webhook_urls": "ftp://one.example", "webhook_secret": SECRET},
        {"webhook_urls": "https://user:word@one.example", "webhook_secret": SECRET},
        {"webhook_secret": "whsec_short"},
        {"webhook_secret": "A" * 32},
    ],
)
def test_receivers_need_a_url_and_a_secret_that_are_such(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="CLICKLOOP_WEBHOOK"):
        Settings.model_validate(wrong)
