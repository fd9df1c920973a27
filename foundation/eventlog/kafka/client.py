"""What a producer and a consumer share: how Kafka is asked, and what its errors mean here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from foundation.errors import StoreAway

CLOSE_LIMIT_S = 10.0
CLIENT: dict[str, Any] = {
    "request_timeout_ms": 3_000,
    "bootstrap_timeout_ms": 2_000,
    "reconnect_backoff_max_ms": 500,
}


def no_answer(bootstrap: Sequence[str], problem: KafkaError) -> StoreAway:
    """Return the outage that an error of Kafka's client shows."""
    return StoreAway(f"Kafka at {','.join(bootstrap)} does not answer: {problem!r}; send the request again")


def ensure_topic(bootstrap: list[str], topic: str) -> None:
    """Create the topic, with the brokers' defaults, unless it is there."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, **CLIENT)
    try:
        if topic not in admin.list_topics():
            admin.create_topics([topic], wait_for_metadata=True)
    except TopicAlreadyExistsError:
        pass  # another process was faster
    finally:
        admin.close()
