"""LlamaIndex' retriever asks for context and hands on what feedback needs."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.clickloop.integrations.conftest import METADATA, Remembering

pytest.importorskip("llama_index.core", reason="needs the extra: pip install 'clickloop[llamaindex]'")

from clickloop.integrations.llamaindex import ClickloopRetriever


def test_nodes_carry_what_feedback_needs(service: Remembering) -> None:
    found = ClickloopRetriever(service, user="u1").retrieve("how")

    assert [node.text for node in found] == ["First.", "Second.", "Third."]
    assert found[0].node.metadata == METADATA
    assert found[0].score == 1.5
    assert service.sent == [("/v1/context", {"question": "how", "user": "u1"})]


def test_it_can_be_awaited(service: Remembering) -> None:
    found = asyncio.run(ClickloopRetriever(service).aretrieve("how"))
    assert len(found) == 3
