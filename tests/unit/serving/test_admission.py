"""Searches are let in as long as they can be answered in time, one after the other."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.errors import Overloaded
from serving.admission import Admission, FifoSemaphore, SearchGate


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def admission(watch: Watch) -> Admission:
    return Admission(at_once=2, max_queue_wait_s=0.4, now=watch)


def fill(admission: Admission, searches: int) -> None:
    for _ in range(searches):
        admission.enter()


def answer(admission: Admission, watch: Watch, every_s: float, times: int) -> None:
    """Let searches leave one by one, each replaced by another, as long as that takes to be known."""
    for _ in range(times):
        watch.s += every_s
        admission.leave()
        admission.enter()


def test_nobody_waits_while_a_turn_is_free(admission: Admission) -> None:
    admission.enter()

    assert admission.expected_wait_s() == 0


def test_the_wait_is_what_answers_take_to_come_by_those_who_stand_before(admission: Admission, watch: Watch) -> None:
    fill(admission, 6)

    answer(admission, watch, every_s=0.02, times=2000)

    assert admission.expected_wait_s() == pytest.approx(5 * 0.02, rel=0.01)


def test_time_in_which_nobody_waited_says_nothing_of_speed(admission: Admission, watch: Watch) -> None:
    fill(admission, 6)
    answer(admission, watch, every_s=0.02, times=2000)
    for _ in range(5):
        watch.s += 0.02
        admission.leave()
    watch.s += 3600
    admission.leave()

    fill(admission, 6)

    assert admission.expected_wait_s() == pytest.approx(5 * 0.02, rel=0.01)


def test_whoever_would_wait_longer_than_the_patience_is_refused_and_not_counted(
    admission: Admission, watch: Watch
) -> None:
    fill(admission, 6)
    answer(admission, watch, every_s=0.1, times=2000)

    with pytest.raises(Overloaded, match="400 ms"):
        admission.enter()

    for _ in range(6):
        admission.leave()
    admission.enter()
    assert admission.queue == 0


def test_turns_are_taken_in_the_order_of_coming() -> None:
    semaphore, came, taken = FifoSemaphore(1), threading.Semaphore(0), []

    def take(number: int) -> None:
        came.release()
        with semaphore:
            taken.append(number)

    with semaphore:
        waiting = []
        for number in range(5):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            came.acquire()
            while len(semaphore) < number + 1:
                thread.join(0.001)
            waiting.append(thread)
    for thread in waiting:
        thread.join(10)

    assert taken == [0, 1, 2, 3, 4]


def test_the_cheapest_loss_of_quality_goes_first(admission: Admission) -> None:
    admission.learn({"rerank": 0.03, "encode": 0.01, "dense": 0.01, "lexical": 0.01})

    assert admission.stages_to_shed(0.1) == ()
    assert admission.stages_to_shed(0.04) == ("rerank",)
    assert admission.stages_to_shed(0.01) == ("rerank", "meaning")


def test_those_who_wait_behind_are_thought_of(admission: Admission) -> None:
    admission.learn({"rerank": 0.03, "lexical": 0.01})
    fill(admission, 8)

    assert admission.stages_to_shed(0.1) == ("rerank",)


def test_searches_get_plainer_before_any_is_refused(admission: Admission) -> None:
    admission.learn({"rerank": 0.01, "encode": 0.005, "dense": 0.005, "lexical": 0.003})
    fill(admission, 30)

    assert admission.stages_to_shed(10.0) == ("rerank",)


def pass_through(admission: Admission, app: ASGIApp) -> None:
    """Let one search through the gate, to an application that answers it."""

    async def receive() -> Message:
        raise AssertionError("the body is there already")

    async def send(message: Message) -> None:
        assert message

    asyncio.run(SearchGate(app, admission)({"type": "http", "path": "/v1/search"}, receive, send))


def test_a_place_ends_when_the_search_is_computed(admission: Admission, watch: Watch) -> None:
    inside = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with admission.turn():
            inside.append(admission.inside)
        inside.append(admission.inside)
        watch.s += 40.0  # as the log's broker pauses
        await send({"type": "http.response.start"})
        inside.append(admission.inside)

    pass_through(admission, app)

    assert inside == [1, 0, 0]


def test_a_place_ends_when_a_search_is_answered_without_being_computed(admission: Admission) -> None:
    inside = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        inside.append(admission.inside)
        await send({"type": "http.response.start"})
        inside.append(admission.inside)

    pass_through(admission, app)

    assert (inside, admission.inside) == ([1, 0], 0)
