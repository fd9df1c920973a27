"""A real `clickloop serve` in a process of its own, that can be killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clickloop.cli.demo.background_service import free_port
from foundation.errors import ClickloopError
from foundation.http_client import ServiceClient
from foundation.processes.children import end_children
from foundation.settings import Settings

_READY_TIMEOUT_S = 180.0


class Server:
    """The service over one home, on one port of the loopback interface across restarts.

    Args:
        settings: What it runs with; `port` is replaced by a free one.
        arguments: Further arguments of `clickloop serve`.
        tree: Checkout whose code runs; this one by default.
        python: Interpreter that runs it.

    Attributes:
        remote: Its default collection, over HTTP.
    """

    def __init__(
        self,
        settings: Settings,
        arguments: Sequence[str] = (),
        tree: Path | None = None,
        python: str = sys.executable,
    ) -> None:
        self._tree = tree
        self._python = python
        self._arguments = arguments
        self.settings = settings.model_copy(update={"port": free_port(), "host": "127.0.0.1"})
        self.url = f"http://127.0.0.1:{self.settings.port}"
        self.remote = ServiceClient(self.url)
        self.log_path = settings.home / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        """Start it and wait until it is ready."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and close the connection to it."""
        self.stop()
        self.remote.close()

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            ClickloopError: It ended instead; the message holds the end of its log.
        """
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  a list without a shell: an interpreter and arguments of the bench
                [self._python, "-m", "clickloop", "serve", *self._arguments],
                env=os.environ
                | self.settings.to_environment()
                | ({"PYTHONPATH": str(self._tree)} if self._tree else {}),
                cwd=self._tree,
                stdout=log,
                stderr=log,
            )
        self.remote.await_ready(_READY_TIMEOUT_S, self._check)

    @property
    def process_id(self) -> int:
        """The number of its process, 0 while it does not run."""
        return self._process.pid if self._process else 0

    def kill(self) -> None:
        """End it at once, as a crash of the machine's kernel would (SIGKILL)."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to end; kill it when it does not within 20 s."""
        if self._process:
            end_children(self._process)
        self._process = None

    def _check(self) -> None:
        if self._process and self._process.poll() is not None:
            delta = self.log_path.read_text(errors="replace")[-2000:]
            raise ClickloopError(f"the service ended with status {self._process.returncode}:\n{delta}")


@contextmanager
def bench_settings(parent: Path | None = None, **changes: Any) -> Iterator[Settings]:
    """Give settings of an empty home, inside `parent` when given, that goes away afterwards.

    The encoder's ONNX form and the vectors of texts are shared with the operator's own home, so
    only the first bench of a machine makes them.
    """
    shared = Settings().home.resolve()
    with TemporaryDirectory(prefix="clickloop-bench-", dir=parent, ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        for name in ("onnx", "vectors"):
            (shared / name).mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(shared / name)
        yield Settings(home=home, log_level="warning", **changes)


def children(process: int) -> list[int]:
    """Return the processes that any thread of a process started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(word) for found in lists for word in found.read_text().split()]
