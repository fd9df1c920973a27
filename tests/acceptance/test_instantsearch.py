"""The example shop: unmodified InstantSearch, algoliasearch/lite and search-insights in a browser, against the service.

The packages are fetched when the test runs, so it is slow and skips without a package registry.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.fixtures import index
from benchmarks.harness.server import Server
from clickloop.container import Container
from collector.api import read_evidence
from foundation.clock import SystemClock, monotonic_s
from foundation.settings import Settings
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser, start_browser

TIMEOUT_S = 240.0
PAGE = Path(__file__).parents[2] / "docs" / "example" / "shop.html"
PACKAGES = {
    "search-insights": "search-insights@2.17.3",
    "algoliasearch": "algoliasearch@5.65.0",
    "instantsearch.js": "instantsearch.js@4.118.1",
}
BRANDS = ("Acme", "Bolt", "Cord")
PRODUCTS: list[dict[str, Any]] = [
    {
        "id": f"p{number}",
        "title": f"Laser toner & ink {number}",
        "text": "A toner that fits.",
        "brand": BRANDS[number % 3],
        "price": number,
    }
    for number in range(1, 13)
]

TELL_PROBLEMS = """
for (const kind of ["error", "unhandledrejection"])
  addEventListener(kind, (event) => document.body?.append(String(event.message || event.reason)), true);
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_S + 60), NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the example's site, and its folder."""
    folder = tmp_path_factory.mktemp("site")
    for name, package in PACKAGES.items():
        unpack(folder / "node_modules" / name, package)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(home_settings: Settings, site: tuple[str, Path]) -> Iterator[Server]:
    """A running service that has the products and answers pages of the site."""
    with Server(home_settings.model_copy(update={"allowed_origins": site[0]})) as running:
        index(running.remote, PRODUCTS)
        yield running


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def unpack(target: Path, package: str) -> None:
    """Fetch a package of npm into a folder; skip the test when the registry cannot be reached."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is not installed")
    target.mkdir(parents=True)
    done = subprocess.run(  # noqa: S603  commands of this file
        [npm, "pack", package], cwd=target, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        pytest.skip(f"npm found no {package}: {done.stderr[-200:]}")
    with tarfile.open(next(target.glob("*.tgz"))) as packed:
        packed.extractall(target, filter="data")
    for one in (target / "package").iterdir():
        shutil.move(one, target)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with start_browser(tmp_path / "profile") as running:
        yield running


def test_a_shop_searches_refines_pages_and_its_clicks_teach(
    shop: Server, site: tuple[str, Path], browser: Browser, home_settings: Settings
) -> None:
    address, folder = site
    written = PAGE.read_text().replace("127.0.0.1:8080", shop.url.removeprefix("http://"))
    patient = 'accept: "readWrite" }], timeouts: { connect: 60000, read: 60000, write: 60000 },'
    (folder / "shop.html").write_text(written.replace('accept: "readWrite" }],', patient))  # a busy machine is slow
    page = browser.open(f"{address}/shop.html?person=anna", TELL_PROBLEMS)

    page.until("document.querySelectorAll('#hits a').length == 5")
    assert "12 results" in page.evaluate("document.querySelector('#stats').innerText")
    page.click("#searchbox input")
    page.call("Input.insertText", text="toner")
    page.until("document.querySelector('#hits a .ais-Highlight-highlighted')?.innerText == 'toner'")
    assert "toner & ink" in page.evaluate("document.querySelector('#hits a').innerText")

    page.click("#brand input[type=checkbox]")
    page.until("document.querySelector('#stats').innerText.includes('4 results')")
    values = page.evaluate("document.querySelectorAll('#brand .ais-RefinementList-item').length")
    assert values == len(BRANDS), "one of several is chosen, and the others stay"
    page.click("#brand input[type=checkbox]")
    page.until("document.querySelector('#stats').innerText.includes('12 results')")

    first = page.evaluate("document.querySelector('#hits a').hash")
    page.click("#pagination a[aria-label='Page 2']")
    page.until(f"document.querySelector('#hits a').hash != '{first}'")
    clicked = page.evaluate("document.querySelector('#hits a').hash.slice(1)")
    page.click("#hits a")

    page.evaluate("document.querySelector('#sort select').value = 'shop:price:asc'")
    page.evaluate("document.querySelector('#sort select').dispatchEvent(new Event('change', { bubbles: true }))")
    page.until("document.querySelector('#hits a').hash == '#p1'")
    assert clicked_documents(home_settings) == {("toner", clicked)}


def clicked_documents(settings: Settings) -> set[tuple[str, str]]:
    """Return query and document of the clicks that arrived, once there are some."""
    container = Container(settings)
    try:
        deadline = monotonic_s() + 30
        while monotonic_s() < deadline:
            rows = read_evidence(container.engine, "default", SystemClock().now(), 90)
            if found := {(row.query_key, row.document_id) for row in rows if any(row.clicked)}:
                return found
        raise AssertionError("no click arrived")
    finally:
        container.engine.dispose()
