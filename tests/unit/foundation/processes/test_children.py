"""A child ends with its parent, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from foundation.processes.children import end_children, run_child, start_child, wait_for

TIMEOUT_S = 20.0
PARENT = """
import os, threading
from foundation.processes.children import start_child
started = []
def start():
    started.append(start_child("tests.sleeper", environment=os.environ))
thread = threading.Thread(target=start)
thread.start()
thread.join()  # the child outlives the thread that started it
print(started[0].pid, flush=True)
started[0].wait()
"""


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_child_ends_when_its_parent_is_killed_and_not_before() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)  # noqa: S603  our own text
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    assert runs(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_until(lambda: not runs(child), "it is an orphan")
    parent.stdout.close()


def test_a_child_ends_when_its_parent_closes_the_pipe() -> None:
    child = start_child("tests.sleeper", environment=os.environ)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(TIMEOUT_S) == -signal.SIGTERM


def test_a_child_that_is_done_ends_in_order_while_its_parent_lives() -> None:
    child = start_child("foundation.ids", environment=os.environ)  # which does nothing by itself
    assert wait_for(child) == 0


def test_what_a_child_says_of_its_failure_is_kept() -> None:
    status, told = run_child("foundation.no_such_module", environment=os.environ)
    assert status == 1
    assert "no_such_module" in told


def test_a_child_makes_itself_nice_before_it_begins() -> None:
    with start_child("tests.sleeper", environment=os.environ, niceness=3, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == os.nice(0) + 3
        child.terminate()


def test_children_that_are_ended_share_one_limit_and_who_stands_still_is_killed() -> None:
    still, listening = (start_child("tests.sleeper", environment=os.environ) for _ in range(2))
    os.kill(still.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    end_children(still, listening, limit_s=0.5)
    assert time.monotonic() - began_s < 5
    assert listening.returncode == -signal.SIGTERM
    assert still.returncode in {-signal.SIGKILL, -signal.SIGTERM}  # whichever the kernel gives it when it goes on
    end_children(still, listening)  # who ended is left alone
