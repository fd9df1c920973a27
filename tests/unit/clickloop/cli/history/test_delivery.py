"""A log is sent until the service has judged all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from clickloop.cli.history.delivery import LogDelivery
from clickloop.cli.history.entries import EVENTS, Outgoing
from clickloop.cli.history.log_columns import LogColumns
from foundation.http_client import Refused, ServiceClient
from foundation.retries import RetryPolicy

ACCEPTED = {"status": "accepted", "fields": []}
WRONG = {"status": "refused", "fields": [{"field": "type", "reason": "is wrong"}]}
TOO_SOON = {"status": "refused", "fields": [{"field": "user", "reason": "sends too many"}], "retry_after_s": 7}


class Script:
    """A service that answers as it is told."""

    def __init__(self, *answers: list[dict[str, Any]] | Refused) -> None:
        self._answers = list(answers)
        self.sent: list[list[str]] = []

    def post(self, _path: str, bodies: Sequence[dict[str, str]]) -> dict[str, Any]:
        self.sent.append([body["id"] for body in bodies])
        answer = self._answers.pop(0)
        if isinstance(answer, Refused):
            raise answer
        return {"verdicts": [{"index": index} | verdict for index, verdict in enumerate(answer)]}


def test_what_comes_too_soon_is_sent_again_after_the_time_asked_for() -> None:
    busy = Refused("too many", code=429, retry_after_s=7)
    service = Script([ACCEPTED, TOO_SOON, WRONG, TOO_SOON], busy, [ACCEPTED, TOO_SOON], [ACCEPTED])
    waits_s: list[float] = []
    delivery = LogDelivery(cast("ServiceClient", service), RetryPolicy(seed=0, sleep=waits_s.append), LogColumns({}))

    refused = delivery.send(EVENTS, [Outgoing(EVENTS, f"row {name}", name, f'{{"id": "{name}"}}') for name in "abcd"])

    assert service.sent == [["a", "b", "c", "d"], ["b", "d"], ["b", "d"], ["d"]]
    assert [one.place for one in refused] == ["row c"]
    assert len(waits_s) == 1
    assert waits_s[0] >= 7
