"""A LlamaIndex retriever; needs `clickloop[llamaindex]`."""

from __future__ import annotations

import asyncio
from typing import Any

from clickloop.integrations.passages import find_passages
from foundation.errors import needs_extra
from foundation.http_client import ServiceClient

with needs_extra("llamaindex", "clickloop.integrations.llamaindex"):
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode


class ClickloopRetriever(BaseRetriever):
    """Retrieves the passages that answer a question, best first; see `POST /v1/context`.

    The metadata of each node holds `query_id`, `document_id` and `rank`, for `Feedback`.

    Args:
        service: The service and its collection.
        wanted: Further fields of `POST /v1/context`: `user`, `budget_tokens`, `documents`, `filters`.
    """

    def __init__(self, service: ServiceClient, **wanted: Any) -> None:
        super().__init__()
        self._service = service
        self._wanted = wanted

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [
            NodeWithScore(node=TextNode(text=passage.text, metadata=passage.metadata), score=passage.score)
            for passage in find_passages(self._service, query_bundle.query_str, **self._wanted)
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)
