"""What an app relies on when it reports from the background: nothing lost, nothing doubled, nothing unsaid."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from clickloop.client import (
    AsyncClient,
    Client,
    Counts,
    EventsRefused,
    QueueFull,
    RequestRefused,
    Undelivered,
)
from tests.unit.clickloop.client.conftest import Script, problem, put_off

ROOT = Path(__file__).parents[4]
NOWHERE = "http://127.0.0.1:9"
ANSWER = {
    "query_id": "q1",
    "version": "v-1",
    "arm": "champion",
    "hits": [{"id": "reset", "rank": 1, "title": "Reset", "score": 9.5, "news": True}],
    "facets": {},
}


def sent(script: Script) -> list[dict[str, Any]]:
    return [event for batch in script.batches for event in batch]


def test_events_carry_what_was_reported_and_ids_of_their_own(script: Script) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with Client(script.url, "help", key="k-1") as client:
        ids = [
            client.click("q1", "a", user="u1", at=at),
            client.rate("q1", "a", 4),
            client.dwell("q1", "a", 12.5),
            client.convert("q1", "a"),
            client.convert("q1", "a", 9.9),
            client.resolve("q1"),
            client.resolve("q1", "a", resolved=False),
            client.seen("q1", "a"),
            client.abandon("q1"),
            client.custom("wish", "q1", "a", 2.5),
            client.report("click", "q2", "b", event_id="mine"),
        ]
    events = sent(script)
    assert [event["id"] for event in events] == ids
    assert {UUID(name).version for name in ids[:-1]} == {7}
    assert events[0] == {
        "id": ids[0],
        "type": "click",
        "query_id": "q1",
        "document_id": "a",
        "user": "u1",
        "at": "2026-01-05T00:00:00+00:00",
    }
    assert [event.get("value") for event in events] == [None, 4, 12.5, None, 9.9, None, None, None, None, 2.5, None]
    assert [event["type"] for event in events[5:9]] == ["resolved", "unresolved", "seen", "abandon"]
    assert (events[9]["type"], events[9]["name"]) == ("custom", "wish")
    assert script.headers[0]["clickloop-collection"] == "help"
    assert script.headers[0]["authorization"] == "Bearer k-1"


def test_every_kind_of_event_may_carry_an_id_of_the_apps_own(script: Script) -> None:
    with Client(script.url) as client:
        ids = [
            client.seen("q1", "a", event_id="1"),
            client.click("q1", "a", event_id="2"),
            client.dwell("q1", "a", 12.5, event_id="3"),
            client.rate("q1", "a", 4, event_id="4"),
            client.convert("q1", "a", 9.9, event_id="order-7"),
            client.resolve("q1", event_id="6"),
            client.abandon("q1", event_id="7"),
        ]
    assert ids == [event["id"] for event in sent(script)] == ["1", "2", "3", "4", "order-7", "6", "7"]


def test_no_collection_is_named_where_none_was_given(script: Script) -> None:
    with Client(script.url, key="k-1") as client:
        client.click("q1", "a")
    assert "clickloop-collection" not in script.headers[0]


def test_events_travel_in_batches(script: Script) -> None:
    with Client(script.url, at_once=200, linger_s=30) as client:
        for number in range(500):
            client.click("q1", str(number))
        client.flush()
        assert client.counts == Counts(accepted=500)
    assert [event["document_id"] for event in sent(script)] == [str(number) for number in range(500)]
    assert len(script.batches) <= 5


def test_a_first_event_does_not_wait_long_for_others(script: Script) -> None:
    with Client(script.url, linger_s=0.05) as client:
        client.click("q1", "a")
        while client.counts.waiting:
            pass
    assert len(sent(script)) == 1


def test_what_was_not_acknowledged_is_sent_again_under_the_same_id(script: Script) -> None:
    script.say(problem(503), (500, {}), problem(404), (202, {"surprise": 1}))
    with Client(script.url) as client:
        name = client.click("q1", "a")
        client.flush()
        assert client.counts == Counts(accepted=1)
    assert [event["id"] for event in sent(script)] == [name] * 5


@pytest.mark.parametrize("retry_after", ["\u00b2", "soon", "-1"])
def test_a_moment_to_come_back_that_cannot_be_read_ends_no_delivery(script: Script, retry_after: str) -> None:
    script.retry_after = retry_after
    script.say(problem(503))
    with Client(script.url) as client:
        client.click("q1", "a")
        client.flush(5.0)
        assert client.counts == Counts(accepted=1)


def test_refused_events_are_logged_with_the_reason_and_hold_up_nobody(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "clickloop.client"), Client(script.url) as client:
        client.click("q1", "good")
        client.click("q1", "bad")
        client.flush()
        assert client.counts == Counts(accepted=1, refused=1)
    assert "document_id is bad" in caplog.text


def test_what_came_too_soon_is_sent_again_no_earlier_than_told_and_holds_up_nobody(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.replies.append(put_off("busy", wait_s=2))
    with caplog.at_level(logging.WARNING, "clickloop.client"), Client(script.url, strict=True) as client:
        early = client.click("q1", "busy")
        client.click("q1", "a")
        while not client.counts.accepted:
            pass
        assert client.counts == Counts(accepted=1, waiting=1)
        client.click("q1", "b")
        client.flush()
        assert client.counts == Counts(accepted=3)
    assert [[event["document_id"] for event in batch] for batch in script.batches] == [["busy", "a"], ["b"], ["busy"]]
    assert script.batches[2][0]["id"] == early
    assert script.moments_s[2] - script.moments_s[0] >= 2
    assert "put off 1 events" in caplog.text


def test_what_came_too_soon_takes_its_place_in_the_queue(script: Script) -> None:
    script.replies.append(put_off("0", "1", wait_s=60))
    client = Client(script.url, capacity=2, linger_s=0.1)
    client.click("q1", "0")
    client.click("q1", "1")
    while not script.batches:
        pass
    client.click("q1", "2")
    assert client.counts == Counts(overflowed=1, waiting=2)
    with pytest.raises(Undelivered, match=r"2 events still wait for .* the service put off 2 events"):
        client.close(timeout_s=0.5)
    assert len(script.batches) == 1


def test_refused_events_are_raised_in_strict_mode(script: Script) -> None:
    client = Client(script.url, strict=True)
    client.click("q1", "bad")
    with pytest.raises(EventsRefused, match="document_id is bad") as caught:
        client.flush()
    assert len(caught.value.refusals) == 1
    client.flush()  # they are raised once
    client.click("q1", "bad")
    with pytest.raises(EventsRefused):
        client.close()


def test_batches_that_are_too_large_are_halved_until_they_fit(script: Script) -> None:
    script.say(problem(413), problem(422, "at most 1 entries are taken at once"))
    with Client(script.url, linger_s=30) as client:
        for number in range(4):
            client.click("q1", str(number))
        client.flush()
        assert client.counts == Counts(accepted=4)
    assert [len(batch) for batch in script.batches] == [4, 2, 1, 1, 1, 1]


def test_an_event_that_is_too_large_alone_is_refused(script: Script) -> None:
    script.say(problem(413, "the body is longer than 10 bytes"))
    with Client(script.url) as client:
        client.click("q1", "a")
        client.flush()
        assert client.counts == Counts(refused=1)


def test_a_full_queue_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(NOWHERE, capacity=2)
    with caplog.at_level(logging.ERROR, "clickloop.client"):
        for number in range(5):
            client.click("q1", str(number))
    assert client.counts == Counts(overflowed=3, waiting=2)
    assert len([line for line in caplog.records if "was not taken" in line.message]) == 1
    with pytest.raises(Undelivered, match="2 events still wait"):
        client.close(timeout_s=0.1)


def test_a_full_queue_raises_in_strict_mode() -> None:
    client = Client(NOWHERE, capacity=1, strict=True)
    client.click("q1", "a")
    with pytest.raises(QueueFull, match='"document_id": "b"'):
        client.click("q1", "b")
    with pytest.raises(Undelivered):
        client.close(timeout_s=0.1)


def test_closing_says_why_events_are_lost(script: Script) -> None:
    script.say(*[problem(401, "the key is unknown")] * 50)
    client = Client(script.url)
    client.click("q1", "a")
    with pytest.raises(Undelivered, match=r"1 events still wait for .* 401 the key is unknown"):
        client.close(timeout_s=0.5)
    client.close()  # does nothing
    with pytest.raises(Undelivered, match="closed"):
        client.click("q1", "b")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_would_spoil_its_batch_is_refused_at_once(script: Script, value: float) -> None:
    with Client(script.url) as client:
        with pytest.raises(ValueError, match="JSON"):
            client.dwell("q1", "a", value)
        with pytest.raises(ValueError, match="zone"):
            client.click("q1", "a", at=datetime(2026, 1, 5))  # noqa: DTZ001  that is the point
    assert not sent(script)


def test_a_search_returns_hits_and_keeps_what_it_does_not_know(script: Script) -> None:
    script.say((200, ANSWER))
    with Client(script.url) as client:
        answer = client.search("forgot my password", limit=3, user="u1", filters={"app": ["web"]}, log=False)
    assert answer.query_id == "q1"
    assert (answer.hits[0].id, answer.hits[0].rank, answer.hits[0].score) == ("reset", 1, 9.5)
    assert answer.raw["facets"] == {}
    asked: Any = script.batches[0]
    assert asked == {
        "query": "forgot my password",
        "limit": 3,
        "user": "u1",
        "session": "",
        "filters": {"app": ["web"]},
        "log": False,
    }


def test_a_search_is_asked_again_while_the_service_is_not_ready(script: Script) -> None:
    script.say(problem(503), problem(503), (200, ANSWER))
    with Client(script.url) as client:
        assert client.search("a").query_id == "q1"


def test_a_refused_search_names_the_field(script: Script) -> None:
    script.say((422, {"detail": "the request is not valid", "errors": [{"field": "limit", "reason": "is too large"}]}))
    with Client(script.url) as client, pytest.raises(RequestRefused, match="422 the request is not valid") as caught:
        client.search("a", limit=1000)
    assert caught.value.fields[0].field == "limit"


def test_a_service_that_is_away_is_named() -> None:
    with Client(NOWHERE) as client, pytest.raises(Undelivered, match=re.escape(NOWHERE)):
        client.search("a")


def test_something_else_at_the_address_is_named(script: Script) -> None:
    script.say((200, {"welcome": "to nginx"}))
    with Client(script.url) as client, pytest.raises(Undelivered, match="no clickloop service"):
        client.search("a")


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="localhost:8080"):
        Client("localhost:8080")


def test_the_asynchronous_client_keeps_the_same_promises(script: Script) -> None:
    async def use() -> Counts:
        async with AsyncClient(script.url, strict=True) as client:
            script.say((200, ANSWER), problem(503))
            answer = await client.search("a")
            client.click(answer.query_id, "a")
            await client.flush()
            client.click(answer.query_id, "bad")
            with pytest.raises(EventsRefused):
                await client.flush()
            counts = client.counts
        await client.close()  # does nothing
        return counts

    assert asyncio.run(use()) == Counts(accepted=1, refused=1)
    assert len({event["id"] for batch in script.batches[1:3] for event in batch}) == 1


def test_a_process_that_forgets_to_close_says_what_it_lost() -> None:
    program = f"from clickloop.client import Client; Client({NOWHERE!r}).click('q1', 'a')"
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "1 events undelivered" in done.stderr


def test_the_client_needs_nothing_of_the_server() -> None:
    heavy = {"fastapi", "starlette", "sqlalchemy", "numpy", "torch", "pydantic", "structlog", "typer"}
    program = f"import sys, clickloop.client; print(sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_another_engines_candidates_are_ranked(script: Script) -> None:
    script.say((200, ANSWER | {"hits": [{"id": "9", "rank": 1, "engine_rank": 2}]}))
    with Client(script.url) as client:
        answer = client.rank("toner", [{"id": "7", "score": 9.1}, {"id": "9"}], user="u1", k=1)
    assert [(hit.id, hit.rank, hit.engine_rank) for hit in answer.hits] == [("9", 1, 2)]
    asked: Any = script.batches[0]
    assert asked == {
        "query": "toner",
        "candidates": [{"id": "7", "score": 9.1}, {"id": "9"}],
        "user": "u1",
        "session": "",
        "k": 1,
    }


def page(number: int, cursor: str) -> dict[str, Any]:
    hits = [{"id": f"d{number}", "rank": number, "title": "", "score": 1.0, "rule": "sale"}]
    return ANSWER | {"hits": hits, "cursor": cursor, "total": 2, "banners": [{"text": "Sale"}], "redirect": "/sale"}


def test_a_search_asks_and_answers_under_the_names_of_the_api(script: Script) -> None:
    script.say((200, page(11, "")))
    with Client(script.url) as client:
        answer = client.search("toner", offset=10, query_id="q1", sort="-price", facets=["brand"], highlight="html")
    asked: Any = script.batches[0]
    assert {name: asked[name] for name in ("offset", "query_id", "sort", "facets", "highlight")} == {
        "offset": 10,
        "query_id": "q1",
        "sort": "-price",
        "facets": ["brand"],
        "highlight": "html",
    }
    assert (answer.total, answer.redirect, answer.banners) == (2, "/sale", [{"text": "Sale"}])
    assert (answer.hits[0].rule, answer.hits[0].highlight) == ("sale", None)


def test_a_list_is_read_to_its_end_by_cursors(script: Script) -> None:
    script.say((200, page(1, "next")), (200, page(2, "")))
    with Client(script.url) as client:
        assert [hit.id for hit in client.scan("toner", filters={"app": ["web"]})] == ["d1", "d2"]
    asked: list[Any] = list(script.batches)
    assert [one["cursor"] for one in asked] == ["*", "next"]


def test_a_list_is_read_to_its_end_on_a_loop(script: Script) -> None:
    script.say((200, page(1, "next")), (200, page(2, "")))

    async def read() -> list[str]:
        async with AsyncClient(script.url) as client:
            return [hit.id async for hit in client.scan("toner")]

    assert asyncio.run(read()) == ["d1", "d2"]
