"""Who is away or busy is asked again, later each time; who refuses is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from foundation.errors import ClickloopError, NotReady
from foundation.http_client import Refused
from foundation.retries import ATTEMPTS, RetryPolicy


def failing(times: int, problem: ClickloopError) -> Callable[[], str]:
    """Return a request that succeeds after it failed some times."""
    left = [problem] * times

    def request() -> str:
        if left:
            raise left.pop()
        return "answer"

    return request


def busy(retry_after_s: int = 0) -> Refused:
    return Refused("busy", code=503, retry_after_s=retry_after_s)


@pytest.mark.parametrize("problem", [NotReady("away"), busy(), Refused("slow down", code=429)])
def test_what_may_succeed_later_is_asked_again_with_growing_waits(problem: ClickloopError) -> None:
    waits: list[float] = []
    assert RetryPolicy(seed=0, sleep=waits.append).ask(failing(5, problem)) == "answer"
    assert len(waits) == 5
    assert all(0.25 * 2**number <= wait <= 0.5 * 2**number for number, wait in enumerate(waits))


def test_no_wait_is_shorter_than_asked_for() -> None:
    waits: list[float] = []
    told: list[tuple[str, float]] = []
    retry = RetryPolicy(lambda reason, wait_s: told.append((reason, wait_s)), seed=0, sleep=waits.append)
    retry.ask(failing(1, busy(20)))
    assert 20.25 <= waits[0] <= 20.5
    assert told == [("busy", waits[0])]
    retry.ask(failing(1, busy(86_400)))
    assert waits[1] < 301


def test_patience_ends() -> None:
    waits: list[float] = []
    with pytest.raises(Refused, match="busy"):
        RetryPolicy(seed=0, sleep=waits.append).ask(failing(99, busy()))
    assert len(waits) == ATTEMPTS - 1
    assert max(waits) <= 30


def test_a_refusal_for_good_is_not_repeated() -> None:
    waits: list[float] = []
    with pytest.raises(Refused, match="wrong"):
        RetryPolicy(sleep=waits.append).ask(failing(1, Refused("wrong", code=422)))
    assert waits == []
