"""What the clients of other systems rely on: their schemas are understood, and their answers are what they expect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.intake.compatible_http import make_router
from collector.intake.logged import read_checked
from collector.intake.pipeline import IntakePipeline
from collector.intake.policy import IntakePolicy
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record, Subscription
from foundation.privacy.signing import QueryIds
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from tests.conformance import CASES, Case
from tests.people import PRIVACY

ROOT = Path(__file__).parents[4]
PATHS = {"UBI query": "/ubi_queries", "UBI event": "/ubi_events", "Algolia": "/1/events", "Meilisearch": "/events"}
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CREDENTIALS = {"X-Algolia-Application-Id": "app", "X-Algolia-API-Key": "key"}
ALGOLIA = [case for case in CASES if case.intake == "Algolia"]


class ListLog:
    """A log that keeps what it is given in a list."""

    away = False

    def __init__(self) -> None:
        self.records: list[Record] = []

    def problems(self) -> list[str]:
        return []

    def append(self, records: Sequence[Record]) -> Future[None]:
        self.records += records
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def subscribe(self, _consumer: str) -> Subscription:
        raise AssertionError("an intake writes to the log; it never reads it")

    def forget(self, _collection: str, _text: str) -> int:
        raise AssertionError("an intake deletes nothing")

    def close(self) -> None:
        pass

    def take(self) -> list[Impression | FeedbackEvent]:
        taken, self.records = [read_checked(record) for record in self.records], []
        return taken


class Service:
    """The compatible intakes over a log and a catalog of lists."""

    def __init__(self, log: Any, clock: FrozenClock, **changes: Any) -> None:
        self.log = log
        self.items: dict[str, dict[str, Any]] = {}
        options = Settings(_env_file=None, **changes)
        app = FastAPI()
        install_edge(app, Edge(options.max_body_bytes))
        app.include_router(
            make_router(
                IntakePipeline(log, clock, options, self._merge, IntakePolicy(QueryIds(b"secret"), options), PRIVACY)
            )
        )
        self.client = TestClient(app, raise_server_exceptions=False)

    def send(self, case: Case) -> Any:
        path = PATHS.get(case.intake, "/feedback")
        headers = CREDENTIALS | dict(case.headers)
        if isinstance(case.body, str | bytes):
            return self.client.post(path, content=case.body, headers=headers)
        return self.client.post(path, content=json.dumps(case.body), headers=headers)

    def _merge(self, _collection: str, items: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        self.items |= {id_: dict(properties) for id_, properties in items.items()}
        return dict.fromkeys(items, "updated")


@pytest.fixture(scope="module")
def lenient() -> Service:
    return Service(ListLog(), FrozenClock(NOON))


@pytest.fixture(scope="module")
def strict() -> Service:
    return Service(ListLog(), FrozenClock(NOON), algolia_strict=True)


@pytest.fixture
def service(lenient: Service) -> Service:
    lenient.log.records.clear()
    lenient.items.clear()
    return lenient


def kinds(content: list[Impression | FeedbackEvent]) -> tuple[str, ...]:
    return tuple("impression" if isinstance(one, Impression) else one.type for one in content)


def kept(expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a case expects as it is kept: people by their pseudonyms."""
    return {name: PRIVACY.person(value) if name in {"unit", "user"} else value for name, value in expected.items()}


def test_the_documented_table_is_what_is_tested() -> None:
    lines = (ROOT / "docs" / "events.md").read_text().split("<!-- conformance -->")[1].strip().splitlines()

    assert lines[2:] == [case.row for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.intake}: {case.sent}")
def test_the_table_holds(case: Case, service: Service) -> None:
    reply = service.send(case)
    content = service.log.take()

    assert reply.status_code == case.status, reply.text
    assert case.message in reply.text
    assert kinds(content) == case.kinds
    assert {name: getattr(content[0], name) for name in case.expect} == kept(case.expect)
    assert service.items == case.items


@pytest.mark.parametrize("case", ALGOLIA, ids=lambda case: str(case.sent))
def test_strictly_insights_behaves_as_algolia_does(case: Case, strict: Service) -> None:
    reply = strict.send(case)

    assert reply.status_code == case.strict_status or (case.strict_status is None and reply.status_code == case.status)
    assert reply.json()["status"] == reply.status_code
    assert bool(strict.log.take()) == (reply.status_code == 200 and bool(case.kinds))


@pytest.mark.parametrize("case", [case for case in CASES if case.kinds], ids=lambda case: f"{case.intake} {case.sent}")
def test_a_retry_is_recognised_by_its_ids(case: Case, service: Service) -> None:
    service.send(case)
    first = service.log.take()
    service.send(case)
    again = service.log.take()

    def ids(content: list[Impression | FeedbackEvent]) -> list[str]:
        return [one.query_id if isinstance(one, Impression) else one.id for one in content]

    assert ids(first) == ids(again)
    assert len(set(ids(first))) == len(first)


def test_ranks_follow_the_order_of_what_was_shown(service: Service) -> None:
    service.send(Case("UBI query", "", {"user_query": "a", "query_response_hit_ids": ["c", "b", "c", "a"]}, ""))

    (impression,) = service.log.take()
    assert [(one.id, one.rank, one.propensity) for one in impression.results] == [("c", 1, 1), ("b", 2, 1), ("a", 4, 1)]


def test_metarank_takes_lines_of_any_content_type(service: Service) -> None:
    cases = [case for case in CASES if case.intake.startswith("Metarank ") and case.kinds]
    lines = "\n".join(json.dumps(case.body) for case in cases)

    reply = service.client.post(
        "/feedback", content=lines, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert reply.json()["accepted"] == len(cases)


def test_a_bad_entry_keeps_its_neighbours_and_is_named(service: Service) -> None:
    good = next(case.body for case in CASES if case.intake == "UBI event")

    reply = service.client.post("/ubi_events", json=[good, {"action_name": 3}, good | {"action_name": "login"}])

    assert (reply.json()["accepted"], reply.json()["refused"], reply.json()["ignored"]) == (1, 1, 1)
    assert reply.json()["verdicts"][1]["reasons"] == [
        "action_name must be a string, is number",
        "timestamp is required",
    ]


@pytest.mark.parametrize("path", ["/ubi_events", "/feedback"])
def test_a_refusal_of_every_event_names_the_first_field(service: Service, path: str) -> None:
    reply = service.client.post(path, json=[{"action_name": "click", "event": "ranking", "id": "m-1"}])

    assert reply.status_code == 422
    first = reply.json()["errors"][0]
    assert first["field"].startswith("0.")
    assert reply.json()["detail"] == f"refused every event: {first['field']} {first['reason']}"


def test_an_ordinal_is_counted_from_where_the_setting_says() -> None:
    service = Service(ListLog(), FrozenClock(NOON), ubi_base=0)
    service.send(next(case for case in CASES if case.intake == "UBI event"))

    assert service.log.take()[0].position == 3


def test_algolias_credentials_may_stand_in_the_query_string(service: Service) -> None:
    body = ALGOLIA[0].body
    reply = service.client.post("/1/events?X-Algolia-Application-Id=a&X-Algolia-API-Key=k", json=body)

    assert reply.json() == {"status": 200, "message": "OK"}


def test_another_method_gets_algolias_answer(service: Service) -> None:
    reply = service.client.get("/1/events")

    assert (reply.status_code, reply.json()) == (405, {"status": 405, "message": "Method Not Allowed"})
    assert reply.headers["allow"] == service.client.options("/1/events").headers["allow"] == "POST"


def test_an_item_that_the_catalog_leaves_out_is_named(clock: FrozenClock) -> None:
    app = FastAPI()
    options = Settings(_env_file=None)
    policy = IntakePolicy(QueryIds(b"secret"), options)
    app.include_router(
        make_router(IntakePipeline(ListLog(), clock, options, lambda _collection, _items: {}, policy, PRIVACY))
    )
    event = {"event": "item", "id": "1", "item": "a", "timestamp": 0, "fields": [{"name": "price", "value": 3}]}

    reply = TestClient(app).post("/feedback", json=event).json()

    assert reply["updated"] == 0
    assert "no document 'a'" in reply["verdicts"][0]["reasons"][0]


def test_items_that_cannot_be_written_are_to_be_sent_again(clock: FrozenClock) -> None:
    def fail(_collection: str, _items: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("disk full"))

    app, log = FastAPI(), ListLog()
    install_edge(app, Edge(1000))
    options = Settings(_env_file=None)
    app.include_router(
        make_router(IntakePipeline(log, clock, options, fail, IntakePolicy(QueryIds(b"secret"), options), PRIVACY))
    )
    event = {"event": "item", "id": "1", "item": "a", "timestamp": 0, "fields": [{"name": "price", "value": 3}]}

    reply = TestClient(app).post("/feedback", json=event)

    assert (reply.status_code, log.records) == (503, [])
    assert "retry-after" in reply.headers


def test_nothing_is_acknowledged_that_could_not_be_written() -> None:
    class BrokenLog:
        def append(self, _records: list[Record]) -> Future[None]:
            done: Future[None] = Future()
            done.set_exception(sa.exc.OperationalError("COMMIT", {}, Exception("disk full")))
            return done

    broken = Service(BrokenLog(), FrozenClock(NOON))
    for case in CASES:
        if case.kinds:
            assert broken.send(case).status_code == 503, case


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated_cases(draw: st.DrawFn) -> Case:
    """A case of the table with some of its values, at any depth, replaced by others."""
    case = draw(st.sampled_from([case for case in CASES if isinstance(case.body, dict | list)]))
    body = json.loads(json.dumps(case.body))
    for _ in range(draw(st.integers(1, 3))):
        place, key = draw(st.sampled_from(_places(body)[:100]))
        place[key] = draw(json_values)
    return Case(case.intake, "", body, "")


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    inner = [place for key in keys if isinstance(value[key], dict | list) for place in _places(value[key])]
    return [*((value, key) for key in keys), *inner] or [({"": 0}, "")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=mutated_cases())
def test_whatever_is_sent_gets_an_answer_and_what_is_kept_can_be_stored(lenient: Service, case: Case) -> None:
    assert lenient.send(case).status_code < 500
    lenient.log.take()  # reads every record as the consumer does, and raises for one that it could not store


@settings(max_examples=100, deadline=None)
@given(
    path=st.sampled_from([*PATHS.values(), "/feedback"]),
    body=st.binary(max_size=50) | json_values.map(lambda value: json.dumps(value).encode()),
)
def test_bodies_of_nothing_are_the_senders_fault(lenient: Service, path: str, body: bytes) -> None:
    assert 400 <= lenient.client.post(path, content=body, headers=CREDENTIALS).status_code < 500


def test_what_is_accepted_is_in_the_log_before_the_reply(engine: sa.Engine) -> None:
    log = EmbeddedLog(engine)
    service = Service(log, FrozenClock(NOON))
    service.send(CASES[0])

    assert len(log.subscribe("test").poll(10, 0)) == 1
    log.close()
