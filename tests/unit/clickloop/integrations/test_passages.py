"""Passages come with all that feedback on them needs."""

from __future__ import annotations

from clickloop.integrations.passages import Passage, find_passages
from tests.unit.clickloop.integrations.conftest import METADATA, Remembering


def test_passages_keep_their_order_and_know_their_document(service: Remembering) -> None:
    found = find_passages(service, "how", user="u", budget_tokens=500)

    assert service.sent == [("/v1/context", {"question": "how", "user": "u", "budget_tokens": 500})]
    assert [passage.text for passage in found] == ["First.", "Second.", "Third."]
    assert found[0] == Passage("First.", 1.5, METADATA)
