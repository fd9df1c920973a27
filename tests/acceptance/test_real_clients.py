"""The published clients of Algolia Insights and Metarank, unmodified, against the service's port.

Both packages are fetched when the tests run, so they are slow and skip without a package registry.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from benchmarks.harness.server import Server
from collector.intake.compatible_http import make_router
from collector.intake.logged import read_checked
from collector.intake.pipeline import IntakePipeline
from collector.intake.policy import IntakePolicy
from foundation.clock import SystemClock, monotonic_s
from foundation.contracts import FeedbackEvent, Impression
from foundation.eventlog.embedded import EmbeddedLog
from foundation.privacy.signing import QueryIds
from foundation.settings import Settings
from foundation.web.cross_site import PAGE_PATHS
from foundation.web.middleware import Edge, install_edge
from tests.people import PRIVACY

TIMEOUT_S = 240  # a browser may start slowly on a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_S + 60)]

SEARCH_INSIGHTS = "search-insights@2.17.3"
METARANK = "metarank==1.1.0"
QUERY = "43b15df305339e827f0ac0bdc5ebcaa7"
SCRIPT = """
const aa = require(process.argv[1]);
const query = process.argv[3];
aa('init', {appId: 'app', apiKey: 'key', host: process.argv[2]});
const common = {userToken: 'u-1', index: 'products', eventName: 'Product Clicked'};
Promise.all([
  aa('clickedObjectIDsAfterSearch', {...common, queryID: query, objectIDs: ['b'], positions: [2]}),
  aa('clickedObjectIDs', {...common, objectIDs: ['b']}),
  aa('clickedFilters', {...common, filters: ['brand:apple']}),
  aa('convertedObjectIDsAfterSearch', {...common, queryID: query, objectIDs: ['b']}),
  aa('convertedObjectIDs', {...common, objectIDs: ['b']}),
  aa('convertedFilters', {...common, filters: ['brand:apple']}),
  aa('addedToCartObjectIDsAfterSearch', {...common, queryID: query, objectIDs: ['b'],
    objectData: [{price: 9.99, quantity: 2}], currency: 'EUR'}),
  aa('addedToCartObjectIDs', {...common, objectIDs: ['b']}),
  aa('purchasedObjectIDsAfterSearch', {...common, objectIDs: ['b', 'c'], value: 30, currency: 'EUR',
    objectData: [{queryID: query, price: 10, quantity: 2}, {queryID: query, price: '10.00', quantity: 1}]}),
  aa('purchasedObjectIDs', {...common, objectIDs: ['b']}),
  aa('viewedObjectIDs', {...common, objectIDs: ['b']}),
  aa('viewedFilters', {...common, filters: ['brand:apple']}),
]).then((sent) => console.log(sent.filter(Boolean).length));
"""
PAGE = """<!doctype html><script src="dist/search-insights.iife.min.js"></script><script>
const client = AlgoliaAnalytics.default || AlgoliaAnalytics;
const common = {userToken: 'u-1', index: 'products', eventName: 'Product Clicked', queryID: 'QUERY', objectIDs: ['b']};
(async () => {
  client.init({appId: 'app', apiKey: 'key', host: 'HOST'});
  const beacon = await client.clickedObjectIDsAfterSearch({...common, positions: [2]});
  const reply = await fetch('HOST/1/events', {
    method: 'POST',
    headers: {'Content-Type': 'application/json', 'X-Algolia-Application-Id': 'app', 'X-Algolia-API-Key': 'key'},
    body: JSON.stringify({events: [{...common, eventType: 'conversion'}]}),
  });
  document.title = `beacon ${beacon}, JSON ${reply.status} ${(await reply.json()).message}`;
})().catch((problem) => { document.title = String(problem); });
</script>"""


class Port:
    """The compatible intakes behind a real port, over a log of their own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.items: dict[str, Any] = {}
        self._log = EmbeddedLog(engine)
        app = FastAPI()
        options = Settings(_env_file=None)
        install_edge(app, Edge(options.max_body_bytes, origins=["*"], open_paths=PAGE_PATHS))
        app.include_router(
            make_router(
                IntakePipeline(
                    self._log, SystemClock(), options, self._merge, IntakePolicy(QueryIds(b"secret"), options), PRIVACY
                )
            )
        )
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._log.close()

    def taken(self) -> list[Impression | FeedbackEvent]:
        return [read_checked(record) for record in self._log.subscribe("test").poll(100, 0)]

    def _merge(self, _collection: str, items: Any) -> Any:
        self.items |= items
        return dict.fromkeys(items, "created")


@pytest.fixture
def port(engine: sa.Engine) -> Iterator[Port]:
    port = Port(engine)
    yield port
    port.stop()


def fetch(folder: Path, *command: str) -> Path:
    """Fetch a package into `folder`; skip the test when the registry cannot be reached."""
    done = subprocess.run(  # noqa: S603  commands of this file
        command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        pytest.skip(f"{' '.join(command)} found no package: {done.stderr[-200:]}")
    return next(path for path in folder.iterdir() if path.suffix in {".tgz", ".whl"})


@pytest.fixture
def search_insights(tmp_path: Path) -> Path:
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm, which fetches search-insights, is not installed")
    with tarfile.open(fetch(tmp_path, npm, "pack", SEARCH_INSIGHTS)) as package:
        package.extractall(tmp_path, filter="data")
    return tmp_path / "package"


def test_search_insights_works_unmodified(port: Port, search_insights: Path) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("Node, which runs search-insights, is not installed")

    # The package's entry for browsers: the one for Node takes a port for a part of the host's name.
    command = [node, "-e", SCRIPT, str(search_insights / "index-browser.cjs"), port.start(), QUERY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603  as above

    assert done.stdout.strip() == "12", f"each of the twelve methods is told that its event arrived {done.stderr}"
    taken = [one for one in port.taken() if isinstance(one, FeedbackEvent)]
    assert sorted((one.type, one.document_id, one.value, one.position) for one in taken) == [
        ("click", "b", 0.0, 2),
        ("conversion", "b", 0.0, None),
        ("conversion", "b", 19.98, None),
        ("conversion", "b", 20.0, None),
        ("conversion", "c", 10.0, None),
    ]
    assert {(one.query_id, one.user) for one in taken} == {(QUERY, PRIVACY.person("u-1"))}


def test_search_insights_works_in_a_browser_from_another_origin(port: Port, search_insights: Path) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    page = search_insights / "page.html"
    page.write_text(PAGE.replace("HOST", port.start()).replace("QUERY", QUERY))

    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom")
    command = [chromium, *options, f"--user-data-dir={search_insights / 'profile'}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603  as above

    assert "<title>beacon true, JSON 200 OK</title>" in done.stdout, done.stdout + done.stderr[-2000:]
    assert sorted(one.type for one in port.taken() if isinstance(one, FeedbackEvent)) == ["click", "conversion"]


@pytest.fixture
def metarank_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Metarank's package and its schemas."""
    pytest.importorskip("requests")
    # The package declares Python 3.12 and an older structlog that it does not import, so it is unpacked, not installed.
    options = ("--no-deps", "--only-binary=:all:", "--python-version=3.12", "--dest", ".")
    with zipfile.ZipFile(fetch(tmp_path, sys.executable, "-m", "pip", "download", METARANK, *options)) as wheel:
        wheel.extractall(tmp_path)  # noqa: S202  a published package of a fixed version
    monkeypatch.syspath_prepend(str(tmp_path))
    return importlib.import_module("metarank"), importlib.import_module("metarank.schemas")


def test_metaranks_python_client_ranks_and_its_feedback_teaches(
    service: Server, metarank_client: tuple[Any, Any]
) -> None:
    metarank, schemas = metarank_client
    client, now = metarank.Client(service.url), SystemClock().now().isoformat()
    items = [schemas.ItemSchema(id=f"sku-{number}") for number in range(1, 11)]

    def rank(ranking: str, user: str) -> list[str]:
        asked = [schemas.FieldSchema(name="query", value="laser toner")]
        wanted = schemas.RankSchema(id=ranking, user=user, timestamp=now, fields=asked, items=items)
        return [one.item for one in client.rank("default", wanted, explain=True).items]

    assert rank("first", "nobody") == [one.id for one in items], "nothing is known yet"
    for person in ("anna", "berta", "cara", "dora"):
        rank(f"of-{person}", person)
        click = {"event": "interaction", "id": f"click-{person}", "item": "sku-8", "type": "click", "user": person}
        schema = schemas.FeedbackSchema(timestamp=now, ranking=f"of-{person}", **click)
        assert client.feedback(schema).accepted == 1
    deadline = monotonic_s() + 30
    while rank(f"later-{monotonic_s()}", "nobody").index("sku-8") > 3:
        assert monotonic_s() < deadline, "clicks came to nothing"
        time.sleep(0.2)


def test_metaranks_python_client_works_unmodified(port: Port, metarank_client: tuple[Any, Any]) -> None:
    metarank, schemas = metarank_client

    def field(name: str, value: Any) -> Any:
        return schemas.FieldSchema(name=name, value=value)

    def feedback(**values: Any) -> Any:
        return schemas.FeedbackSchema(timestamp="2026-01-04T10:00:00Z", **values)

    ranked = [schemas.ItemSchema(id="a", label="1"), schemas.ItemSchema(id="b", fields=[field("relevancy", 2.5)])]
    client = metarank.Client(port.start())
    reply = client.feedback(
        [
            feedback(event="item", id="1", item="a", fields=[field("title", "Toner"), field("sizes", [1, 2])]),
            feedback(event="user", id="2", user="anna", fields=[field("age", 33)]),
            feedback(event="ranking", id="q1", user="anna", items=ranked, fields=[field("query", "toner")]),
        ]
    )
    again = client.feedback(feedback(event="interaction", id="4", item="b", type="click", ranking="q1", user="anna"))

    assert (reply.status, reply.accepted, reply.updated) == ("ok", 3, 1)
    assert (again.status, again.accepted) == ("ok", 1)
    assert port.items == {"a": {"title": "Toner", "sizes": [1, 2]}}
    impression, click = port.taken()
    assert isinstance(impression, Impression)
    assert [(one.id, one.rank, one.score) for one in impression.results] == [("a", 1, 0.0), ("b", 2, 2.5)]
    assert isinstance(click, FeedbackEvent)
    assert (click.type, click.query_id, click.document_id) == ("click", impression.query_id, "b")
    with pytest.raises(Exception, match="422"):
        client.feedback(feedback(event="interaction", id="5", item="b", type="click", ranking="x" * 200))
