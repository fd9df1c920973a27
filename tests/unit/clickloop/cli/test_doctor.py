"""What the doctor says of a service."""

from __future__ import annotations

from typing import Any, cast

import pytest

from clickloop.cli.doctor import examine_service
from foundation.http_client import Refused, ServiceClient


class Answers:
    """A service that gives fixed answers."""

    def __init__(self, unread: float | int) -> None:
        self._unread = unread

    def get(self, path: str) -> Any:
        match path:
            case "/readyz":
                return {"collections": {}}
            case "/v1/reports/join-health":
                return {"findings": []}
            case "/v1/reports/learning":
                return {"meaning": "nothing yet"}
            case "/v1/webhooks":
                return {"deliveries": []}
        assert path == "/v1/index"
        if isinstance(self._unread, int):
            raise Refused("no documents", code=self._unread)
        return {"unread": self._unread}


def ask(unread: float | int) -> list[tuple[str, bool]]:
    return [(one.subject, one.good) for one in examine_service(cast("ServiceClient", Answers(unread)))]


@pytest.mark.parametrize("unread", [0.0, 0.01, 404])
def test_an_encoder_that_reads_the_documents_is_not_mentioned(unread: float | int) -> None:
    assert ask(unread) == [("learning", True)]


def test_an_encoder_that_cannot_read_many_documents_is_told() -> None:
    assert ask(0.4) == [("encoder", False), ("learning", True)]
    [encoder, _] = examine_service(cast("ServiceClient", Answers(0.4)))
    assert encoder.what.startswith("40% of the documents")


def test_an_index_that_is_refused_for_another_reason_is_told() -> None:
    assert ask(503) == [("service", False)]
