"""An owner's settings are read and changed under the names of the API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clickloop.client import AsyncClient, Client, RelevanceRevision, RelevanceSettings, RequestRefused
from tests.unit.clickloop.client.conftest import Script

REVISION: dict[str, Any] = {
    "revision": 4,
    "serves": False,
    "at": "2026-11-30T12:00:00Z",
    "actor": "anna",
    "note": "why",
}
TERM = {"kind": "personal", "fields": ["brand"]}


def test_settings_are_changed_by_name_as_a_draft(script: Script) -> None:
    script.say((200, REVISION | {"terms": {"personal": TERM}}))
    with Client(script.url) as client:
        made = client.change("ranking", {"personal": TERM, "old": None}, note="why not", draft=True)
    assert script.paths == ["PUT /v1/ranking?note=why+not&draft=true"]
    asked: Any = script.batches[0]
    assert asked == {"personal": TERM, "old": None}
    assert (made.revision.revision, made.revision.serves, made.terms, made.rules) == (4, False, {"personal": TERM}, {})


def test_what_serves_and_what_did_is_read_and_can_serve_again(script: Script) -> None:
    whole = REVISION | {"synonyms": {}, "rules": {"sale": {"hide": ["a"]}}, "terms": {}, "features": {"price": {}}}
    script.say((200, whole), (200, whole), (200, {"serves": 5, "revisions": [REVISION]}), (200, whole))

    async def use() -> tuple[RelevanceSettings, list[RelevanceRevision]]:
        async with AsyncClient(script.url) as client:
            served = await client.relevance()
            await client.relevance(4)
            history = await client.revisions(limit=10)
            await client.serve(4, note="again")
            return served, history

    served, history = asyncio.run(use())
    assert (served.rules, served.features) == ({"sale": {"hide": ["a"]}}, {"price": {}})
    assert history == [RelevanceRevision(4, False, "2026-11-30T12:00:00Z", "anna", "why")]
    asked: Any = script.batches[-1]
    assert asked == {"note": "again"}
    assert script.paths == [
        "GET /v1/relevance",
        "GET /v1/relevance/revisions/4",
        "GET /v1/relevance/revisions?limit=10",
        "POST /v1/relevance/revisions/4/serve",
    ]


def test_a_refused_change_names_the_field(script: Script) -> None:
    fault = {"field": "mine", "reason": "must be named personal"}
    script.say((422, {"detail": "nothing was changed", "errors": [fault]}))
    with Client(script.url) as client, pytest.raises(RequestRefused) as caught:
        client.change("ranking", {"mine": TERM})
    assert caught.value.fields[0].field == "mine"
