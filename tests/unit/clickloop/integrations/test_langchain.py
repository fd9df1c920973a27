"""LangChain's retriever asks for context and hands on what feedback needs."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.clickloop.integrations.conftest import METADATA, Remembering

pytest.importorskip("langchain_core", reason="needs the extra: pip install 'clickloop[langchain]'")

from clickloop.integrations.langchain import ClickloopRetriever


def test_documents_carry_what_feedback_needs(service: Remembering) -> None:
    found = ClickloopRetriever(service=service).invoke("how")

    assert [document.page_content for document in found] == ["First.", "Second.", "Third."]
    assert found[0].metadata == METADATA | {"score": 1.5}


def test_a_question_may_name_its_person(service: Remembering) -> None:
    retriever = ClickloopRetriever(service=service, budget_tokens=200, filters={"app": "web"})
    retriever.invoke("how", user="u1")
    retriever.bind(user="u2").invoke("how")
    asyncio.run(retriever.ainvoke("how", user="u3"))

    assert [body["user"] for _, body in service.sent] == ["u1", "u2", "u3"]
    assert {body["budget_tokens"] for _, body in service.sent} == {200}
    assert service.sent[0][1]["filters"] == {"app": "web"}
