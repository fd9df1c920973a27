"""What a client of the feedback API relies on: a verdict for each event, and durability with the reply."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

import collector.checks.http
from collector.intake.http import make_router
from collector.intake.logged import read_checked
from collector.intake.pipeline import IntakePipeline
from collector.intake.policy import IntakePolicy
from foundation.clock import FrozenClock
from foundation.errors import Overloaded, StoreAway
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record, Subscription
from foundation.privacy.signing import QueryIds
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from tests.people import PRIVACY

SETTINGS = Settings(_env_file=None, max_batch=50, max_body_bytes=20_000)


class BrokenLog:
    """A log that fails as told, at once or when its future is awaited."""

    def __init__(self, at_once: Exception | None = None, later: Exception | None = None) -> None:
        self._at_once = at_once
        self._later = later

    def append(self, _records: Sequence[Record]) -> Future[None]:
        if self._at_once:
            raise self._at_once
        done: Future[None] = Future()
        done.set_exception(self._later)
        return done

    def subscribe(self, _consumer: str) -> Subscription:
        raise AssertionError("an intake writes to the log; it never reads it")

    def close(self) -> None:
        pass


def make_client(log: Any, clock: FrozenClock, engine: sa.Engine, settings: Settings = SETTINGS) -> TestClient:
    app = FastAPI()
    install_edge(app, Edge(settings.max_body_bytes))
    policy = IntakePolicy(QueryIds(b"secret"), settings)
    app.include_router(
        make_router(IntakePipeline(log, clock, settings, lambda _collection, _items: {}, policy, PRIVACY))
    )
    app.include_router(collector.checks.http.make_router(engine, settings.lateness_days, policy.refused_unset))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def log(engine: sa.Engine) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(engine)
    yield log
    log.close()


@pytest.fixture
def client(log: EmbeddedLog, clock: FrozenClock, engine: sa.Engine) -> TestClient:
    return make_client(log, clock, engine)


def click(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "type": "click", "query_id": "q1", "document_id": "d1"} | changes


def logged_ids(log: EmbeddedLog) -> list[str]:
    found = [read_checked(record) for record in log.subscribe("test").poll(1000, 0)]
    return [getattr(one, "id", "") for one in found]


def test_a_single_event_is_accepted_and_durable(client: TestClient, log: EmbeddedLog) -> None:
    reply = client.post("/v1/events", json=click())

    assert reply.status_code == 202
    assert reply.json() == {
        "accepted": 1,
        "refused": 0,
        "verdicts": [{"index": 0, "id": "e1", "status": "accepted", "fields": []}],
    }
    assert logged_ids(log) == ["e1"]


def test_a_beacon_sends_its_json_as_plain_text_and_names_the_collection_in_the_address(
    client: TestClient, log: EmbeddedLog
) -> None:
    reply = client.post(
        "/v1/events?collection=help",
        content=json.dumps([click()]),
        headers={"content-type": "text/plain;charset=UTF-8"},
    )

    assert reply.status_code == 202
    (event,) = (read_checked(record) for record in log.subscribe("test").poll(10, 0))
    assert (getattr(event, "id", ""), event.collection) == ("e1", "help")


def test_an_event_without_id_is_told_its_id(client: TestClient, log: EmbeddedLog) -> None:
    given = {name: value for name, value in click().items() if name != "id"}

    told = client.post("/v1/events", json=given).json()["verdicts"][0]["id"]

    assert logged_ids(log) == [told]


def test_bad_events_of_an_array_keep_their_neighbours(client: TestClient, log: EmbeddedLog) -> None:
    bad = click(2, type="rating", value=9, colour="red")

    reply = client.post("/v1/events", json=[click(1), bad, 7, click(3)])

    assert reply.status_code == 202
    assert (reply.json()["accepted"], reply.json()["refused"]) == (2, 2)
    assert [verdict["status"] for verdict in reply.json()["verdicts"]] == ["accepted", "refused", "refused", "accepted"]
    assert [fault["field"] for fault in reply.json()["verdicts"][1]["fields"]] == ["colour", "value"]
    assert reply.json()["verdicts"][1]["id"] == "e2"
    assert logged_ids(log) == ["e1", "e3"]


def test_a_broken_line_keeps_its_neighbours(client: TestClient, log: EmbeddedLog) -> None:
    lines = [json.dumps(click(1)), '{"id": "e2", "type"', json.dumps(click(3))]

    reply = client.post("/v1/events", content="\n".join(lines), headers={"content-type": "application/x-ndjson"})

    assert reply.status_code == 202
    assert [verdict["status"] for verdict in reply.json()["verdicts"]] == ["accepted", "refused", "accepted"]
    assert logged_ids(log) == ["e1", "e3"]


def test_a_verdict_says_when_an_event_may_come_again_and_only_then(
    log: EmbeddedLog, clock: FrozenClock, engine: sa.Engine
) -> None:
    settings = SETTINGS.model_copy(update={"events_per_minute_user": 2.0})
    client = make_client(log, clock, engine, settings)

    reply = client.post("/v1/events", json=[*(click(number, user="busy") for number in range(3)), click(3), {}])

    verdicts = reply.json()["verdicts"]
    reason = "sends more than 2 events a minute; again in 30 s"
    too_soon = {"index": 2, "id": "e2", "status": "refused", "fields": [{"field": "user", "reason": reason}]}
    assert verdicts[2] == too_soon | {"retry_after_s": 30}
    assert [set(verdict) for verdict in verdicts[:2] + verdicts[3:]] == [{"index", "id", "status", "fields"}] * 4
    assert logged_ids(log) == ["e0", "e1", "e3"]


def test_a_request_without_any_good_event_is_a_problem(client: TestClient, log: EmbeddedLog) -> None:
    reply = client.post("/v1/events", json=[click(1, query_id=""), click(2, at="noon")])

    problem = reply.json()
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert [fault["field"] for fault in problem["errors"]] == ["0.query_id", "1.at"]
    assert [verdict["status"] for verdict in problem["verdicts"]] == ["refused", "refused"]
    assert logged_ids(log) == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"value": NaN}', 400),
        (b"[]", 422),
        (b"7", 422),
        (b"null", 422),
        (json.dumps([click(n) for n in range(51)]).encode(), 422),
        (b" " * 20_001, 413),
    ],
)
def test_a_body_that_cannot_be_used_is_a_problem(client: TestClient, content: bytes, status: int) -> None:
    reply = client.post("/v1/events", content=content, headers={"content-type": "application/json"})

    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")


def test_a_full_log_asks_to_send_again(clock: FrozenClock, engine: sa.Engine) -> None:
    reply = make_client(BrokenLog(at_once=Overloaded("full")), clock, engine).post("/v1/events", json=click())

    assert reply.status_code == 503
    assert "retry-after" in reply.headers


def test_what_could_not_be_written_is_not_acknowledged(clock: FrozenClock, engine: sa.Engine) -> None:
    broken = BrokenLog(later=sa.exc.OperationalError("COMMIT", {}, Exception("disk full")))

    reply = make_client(broken, clock, engine).post("/v1/events", json=click())

    assert reply.status_code == 503
    assert "send the events again" in reply.json()["detail"]


def test_events_belong_to_the_collection_of_the_request(client: TestClient, log: EmbeddedLog) -> None:
    client.post("/v1/events", json=click(), headers={"Clickloop-Collection": "shop"})

    (record,) = log.subscribe("test").poll(10, 0)
    assert read_checked(record).collection == "shop"


def test_another_event_under_the_same_id_is_refused_as_a_conflict(client: TestClient, log: EmbeddedLog) -> None:
    first = client.post("/v1/events", json=click())
    other, retry = (client.post("/v1/events", json=click(document_id=name)) for name in ("d2", "d1"))

    assert (first.status_code, other.status_code, retry.status_code) == (202, 422, 202)
    (fault,) = other.json()["verdicts"][0]["fields"]
    assert (fault["field"], "conflict" in fault["reason"]) == ("id", True)
    assert logged_ids(log) == ["e1", "e1"]


def test_an_event_that_was_not_kept_may_be_sent_corrected(
    client: TestClient, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise StoreAway("the event log is away")

    with monkeypatch.context() as patch:
        patch.setattr(log, "append", refuse)
        away = TestClient(client.app, raise_server_exceptions=False).post("/v1/events", json=click())
    corrected = client.post("/v1/events", json=click(document_id="d2"))

    assert (away.status_code >= 500, corrected.status_code) == (True, 202)


def test_the_verdict_of_a_refused_event_names_its_numeric_id(client: TestClient) -> None:
    reply = client.post("/v1/events", json=click() | {"id": 17, "type": "mystery"})

    assert (reply.status_code, reply.json()["verdicts"][0]["id"]) == (422, "17")


@pytest.mark.parametrize("unset", ["undefined", "null", "[object Object]"])
def test_a_query_id_that_was_never_set_is_refused_by_name_and_the_join_says_so(client: TestClient, unset: str) -> None:
    reply = client.post("/v1/events", json=click(query_id=unset))
    findings = client.get("/v1/reports/join-health").json()["findings"]

    (fault,) = reply.json()["verdicts"][0]["fields"]
    assert (reply.status_code, fault["field"], unset in fault["reason"]) == (422, "query_id", True)
    (found,) = (one for one in findings if one["name"] == "query-ids-unset")
    assert (found["count"], bool(found["advice"])) == (1, True)


def test_the_health_of_the_join_is_reported(client: TestClient) -> None:
    report = client.get("/v1/reports/join-health", headers={"Clickloop-Collection": "shop"}).json()

    assert report["collection"] == "shop"
    assert [finding["count"] for finding in report["findings"]] == [0] * 15


def test_the_openapi_page_describes_events(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/events"]["post"]

    assert set(operation["requestBody"]["content"]) == {"application/json", "application/x-ndjson", "text/plain"}
    assert {"202", "400", "413", "422", "503"} <= set(operation["responses"])
