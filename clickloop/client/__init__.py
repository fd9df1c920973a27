"""The client for Python apps: searches, and reports what people did, from the background.

It needs httpx, tenacity and nothing of the server, so `pip install --no-deps` and these two are enough.
"""

from __future__ import annotations

from clickloop.client.answer import Answer, Hit
from clickloop.client.async_client import AsyncClient
from clickloop.client.client import Client
from clickloop.client.errors import EventsRefused, QueueFull, RequestRefused, Undelivered
from clickloop.client.outbox import Counts, Refusal
from clickloop.client.passages import Context, ContextPassage
from clickloop.client.relevance import RelevanceRevision, RelevanceSettings

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Context",
    "ContextPassage",
    "Counts",
    "EventsRefused",
    "Hit",
    "QueueFull",
    "Refusal",
    "RelevanceRevision",
    "RelevanceSettings",
    "RequestRefused",
    "Undelivered",
]
