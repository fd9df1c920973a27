from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.load import Shot, Volley, due_times, quantile_ms
from benchmarks.search.load import Questions, fire

ANSWER: dict[str, Any] = {"version": "v-1", "skipped": []}
Answer = Callable[[int], tuple[int, dict[str, Any]]]


@contextmanager
def service(answer: Answer) -> Iterator[str]:
    """Serve answers over HTTP; `answer` gets the number of the request."""
    lock, numbers = threading.Lock(), iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                number = next(numbers)
            status, body = answer(number)
            content = json.dumps(body, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base class calls it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _shot(took_s: float, status: int = 200) -> Shot:
    return Shot(0.0, took_s, status, skipped=False)


def test_requests_of_an_open_loop_are_due_at_its_rate_whatever_becomes_of_them() -> None:
    times = due_times(rate=200.0, seconds=30.0, seed=1)
    gaps = np.diff(times)
    assert len(times) == 6000
    assert times == sorted(times) == due_times(rate=200.0, seconds=30.0, seed=1)
    assert times[-1] == pytest.approx(30.0, rel=0.05)
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.1)  # as of a Poisson process


def test_only_answers_in_time_are_good() -> None:
    shots = [_shot(0.1), _shot(0.3), _shot(0.4), _shot(0.01, 503), _shot(0.02, 429), _shot(0.01, 500), _shot(9.0, 0)]
    volley = Volley(shots, seconds=2.0, answers=[])
    assert volley.goodput(0.3) == 1.0
    assert [shot.status for shot in volley.refused()] == [503, 429]
    assert [shot.status for shot in volley.failed()] == [500, 0]


def test_the_time_of_nothing_is_endless() -> None:
    assert quantile_ms([], 0.99) == float("inf")


def test_no_query_comes_again_before_all_others_have() -> None:
    questions = Questions(["a", "b", "c"])
    first = questions.ask(k=5)
    questions.advance(2)
    assert [body["query"] for body in first] == ["a", "b", "c"]
    assert [body["query"] for body in questions.ask()] == ["c", "a", "b"]
    assert all(body["k"] == 5 for body in first)
    assert len({body["user"] for body in first}) == 3


def test_a_service_that_stands_still_is_seen_by_every_request_that_was_due_meanwhile() -> None:
    standing = threading.Lock()

    def stand(number: int) -> tuple[int, dict[str, Any]]:
        with standing:
            time.sleep(0.5 if number == 10 else 0.0)
        return 200, ANSWER

    with service(stand) as url:
        volley = fire(url, Questions(["a"]), rate=100.0, seconds=1.5)
    late = [shot for shot in volley.answered() if shot.took_s > 0.05]
    assert len(volley.answered()) == 150
    assert len(late) >= 30  # of about fifty that were due in half a second


def test_clients_of_a_closed_loop_wait_for_their_answers_and_bring_them_home() -> None:
    def wait(number: int) -> tuple[int, dict[str, Any]]:
        time.sleep(0.1)
        return 200, {**ANSWER, "skipped": ["rerank"] if number % 2 else []}

    questions = Questions(["a", "b", "c", "d", "e", "f", "g"])
    with service(wait) as url:
        volley = fire(url, questions, clients=2, seconds=1.0, keep=True)
    assert 10 <= len(volley.shots) <= 20
    assert len(volley.answers) == len(volley.shots)
    assert 0 < sum(shot.skipped for shot in volley.shots) < len(volley.shots)
    assert questions.ask()[0]["query"] == "abcdefg"[len(volley.shots) % 7]


def test_refusals_and_lost_requests_are_told_apart() -> None:
    with service(lambda number: (503 if number % 2 else 200, ANSWER)) as url:
        volley = fire(url, Questions(["a"]), rate=50.0, seconds=1.0)
    assert len(volley.refused()) == len(volley.answered()) == 25
    gone = fire(url, Questions(["a"]), rate=50.0, seconds=0.2)
    assert len(gone.failed()) == 10
