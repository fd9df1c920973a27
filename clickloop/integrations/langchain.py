"""A LangChain retriever; needs `clickloop[langchain]`."""

from __future__ import annotations

from typing import Any

from clickloop.integrations.passages import find_passages
from foundation.errors import needs_extra
from foundation.http_client import ServiceClient

with needs_extra("langchain", "clickloop.integrations.langchain"):
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables.config import run_in_executor


class ClickloopRetriever(BaseRetriever):
    """Retrieves the passages that answer a question, best first; see `POST /v1/context`.

    `invoke(question, user="u1")` names the person for one question; `bind(user="u1")` for a chain's.
    The metadata of each document holds `query_id`, `document_id` and `rank`, for `Feedback`.
    """

    service: ServiceClient
    """The service and its collection."""
    budget_tokens: int = 1000
    """Most tokens of all passages together."""
    documents: int = 10
    """Most documents that passages are taken from."""
    filters: Any = None
    """As in a search."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: Any,  # noqa: ARG002  LangChain calls this method with it by name, so it must be taken
        user: str = "",
    ) -> list[Document]:
        wanted = {"budget_tokens": self.budget_tokens, "documents": self.documents, "filters": self.filters}
        return [
            Document(page_content=passage.text, metadata=passage.metadata | {"score": passage.score})
            for passage in find_passages(self.service, query, user=user, **wanted)
        ]

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any, user: str = "") -> list[Document]:
        return await run_in_executor(
            None, self._get_relevant_documents, query, run_manager=run_manager.get_sync(), user=user
        )
