"""The example's pages on an origin of their own, the service that they ask, and a browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.fixtures import index
from benchmarks.harness.server import Server
from foundation.settings import Settings
from tests.acceptance.browser import Browser, start_browser

EXAMPLE = Path(__file__).parents[3] / "docs" / "example"


class QuietPages(SimpleHTTPRequestHandler):
    """Serves the example without a word."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the example's pages, which the service's address is written into."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("site") / "example"))


@pytest.fixture(scope="module")
def pages(site: Path) -> Iterator[str]:
    """The origin of the example's pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietPages, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def service(
    tiny_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
    site: Path,
    pages: str,
    documents: list[dict[str, Any]],
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    (home / "onnx").symlink_to(tiny_model.parent / "onnx")
    settings = Settings(home=home, model=str(tiny_model), encoder_threads=1, log_level="warning", allowed_origins=pages)
    with Server(settings) as server:
        page = site / "index.html"
        page.write_text(page.read_text().replace("http://127.0.0.1:8080", server.url))
        index(server.remote, documents)
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
