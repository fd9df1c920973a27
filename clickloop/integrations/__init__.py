"""A running service as the retriever of chatbots and the tools of agents."""

from foundation.http_client import ServiceClient

__all__ = ["ServiceClient"]
