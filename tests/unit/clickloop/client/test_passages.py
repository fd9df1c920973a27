"""A chatbot gets passages, and a search box completions."""

from __future__ import annotations

from typing import Any

from clickloop.client import Client, ContextPassage
from tests.unit.clickloop.client.conftest import Script

PASSAGE = {
    "document_id": "reset",
    "rank": 1,
    "title": "Reset",
    "url": "",
    "text": "Open it.",
    "score": 0.5,
    "tokens": 2,
}


def test_passages_come_with_what_events_need(script: Script) -> None:
    script.say((200, {"query_id": "q1", "version": "v", "logged": True, "tokens": 2, "passages": [PASSAGE], "new": 1}))
    with Client(script.url) as client:
        context = client.context("how to reset?", budget_tokens=50, user="u1", documents=3)
    assert (context.query_id, context.tokens, context.raw["new"]) == ("q1", 2, 1)
    assert context.passages == (ContextPassage("reset", 1, "Reset", "", "Open it.", 0.5, 2),)
    asked: Any = script.batches[0]
    wanted = {"question": "how to reset?", "budget_tokens": 50, "user": "u1", "session": "", "documents": 3}
    assert (script.paths, asked) == (["POST /v1/context"], wanted)


def test_what_is_typed_is_completed(script: Script) -> None:
    script.say((200, {"suggestions": ["print label", "print envelope"]}))
    with Client(script.url) as client:
        assert client.suggest("pri & x", limit=2) == ["print label", "print envelope"]
    assert script.paths == ["GET /v1/suggest?q=pri+%26+x&limit=2"]
