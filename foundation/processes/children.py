"""Starts processes that end with this one, however it ends; the one place that does.

A child holds the reading end of a pipe whose writing end only its parent has. The kernel closes that end when the
parent is gone, also by a kill, and the child notices. (The kernel's own signal for this, PR_SET_PDEATHSIG, already
comes when the thread that started the child ends.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO

from foundation.clock import monotonic_s
from foundation.telemetry.logs import get_log

_GRACE_S = 20.0
_log = get_log("children")

parent_ended = threading.Event()
"""Set in a child when its parent is gone or has closed the pipe; for a child that ends in its own way."""


def start_child(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    niceness: int = 0,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `python -m module arguments` as a process that lives no longer than this one.

    A closed standard input tells it to end. It sets its own niceness, for no code of ours may run between fork and
    exec: there a process with threads may wait for ever for a lock that another thread held.

    Args:
        environment: All of its environment variables.
        niceness: How much less of the processor it gets than this process.
    """
    command = [sys.executable, "-m", "foundation.processes.child", str(niceness), module, *arguments]
    return subprocess.Popen(  # noqa: S603  our own modules
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=dict(environment)
    )


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Wait until a child has ended, close the pipe to it, and return its exit status."""
    code = child.wait()
    if child.stdin:
        child.stdin.close()
    return code


def end_children(*children: subprocess.Popen[bytes], limit_s: float = _GRACE_S) -> None:
    """Ask children to end, kill those that have not within `limit_s`, and return when all are gone.

    A child may hang or stand still; the caller must not. A child that is only starting may still ignore the signal as
    its parent does, but it notices the closed pipe.
    """
    for child in children:
        child.terminate()
        if child.stdin:
            child.stdin.close()
    until_s = monotonic_s() + limit_s
    for child in children:
        try:
            child.wait(max(0.0, until_s - monotonic_s()))
        except subprocess.TimeoutExpired:
            _log.warning("child killed", process=child.pid, because=f"it did not end within {limit_s:.0f} s")
            child.kill()
        wait_for(child)


def run_child(module: str, *arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run `python -m module arguments` to its end; return its exit status and what it wrote to standard error."""
    with start_child(
        module, *arguments, environment=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        told = child.stderr.read() if child.stderr else b""
        return child.wait(), told.decode(errors="replace")


def end_with_supervisor() -> None:
    """End this process with the one that started it by `multiprocessing`, as uvicorn does; nothing in any other."""
    if supervisor := multiprocessing.parent_process():
        end_after(supervisor.join)


def end_after(wait: Callable[[], object]) -> None:
    """End this process when `wait` returns: by SIGTERM, and for good 20 s later."""
    threading.Thread(target=_follow, args=(wait,), name="parent", daemon=True).start()


def _follow(wait: Callable[[], object]) -> None:
    wait()
    parent_ended.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    sys.stderr.write(f"process {os.getpid()} did not end with its parent in {_GRACE_S:.0f} s, ends now\n")
    os._exit(1)
