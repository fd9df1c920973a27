"""What an app relies on when it searches: answers under the names of the API, and a reason where there is none."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clickloop.client import (
    AsyncClient,
    Client,
    Counts,
    EventsRefused,
    RequestRefused,
    Undelivered,
)
from tests.unit.clickloop.client.conftest import Script, problem

ROOT = Path(__file__).parents[4]
NOWHERE = "http://127.0.0.1:9"
ANSWER = {
    "query_id": "q1",
    "version": "v-1",
    "arm": "champion",
    "hits": [{"id": "reset", "rank": 1, "title": "Reset", "score": 9.5, "news": True}],
    "facets": {},
}


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
        answer = client.rank("toner", [{"id": "7", "score": 9.1}, {"id": "9"}], user="u1", limit=1)
    assert [(hit.id, hit.rank, hit.engine_rank) for hit in answer.hits] == [("9", 1, 2)]
    asked: Any = script.batches[0]
    assert asked == {
        "query": "toner",
        "candidates": [{"id": "7", "score": 9.1}, {"id": "9"}],
        "user": "u1",
        "session": "",
        "limit": 1,
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
