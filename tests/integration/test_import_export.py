"""`clickloop index` and `clickloop export` against a running service, as a person calls them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
import uvicorn
from pyarrow import parquet
from typer.testing import CliRunner, Result

from clickloop.cli.main import app
from clickloop.server.app import make_app
from foundation.errors import Conflict, InvalidRequest, NotReady
from foundation.http_client import Refused, ServiceClient
from foundation.settings import Settings
from tests.tiny_encoder import make_tiny_model

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole service, over HTTP."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(_env_file=None, home=home, model=str(make_tiny_model(home)), log_level="error")
    config = uvicorn.Config(
        make_app(settings), port=0, log_level="error", access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + TIMEOUT_S
    while not server.started:
        assert time.monotonic() < deadline, "the service did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(TIMEOUT_S)


@pytest.fixture
def collection() -> str:
    """A collection of the test's own."""
    return uuid4().hex


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def call(*words: object, said: str = "") -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=said)


def stored(url: str, collection: str) -> dict[str, Any]:
    with closing(ServiceClient(url, collection)) as remote:
        page = remote.get("/v1/documents?limit=1000")
    return {document["id"]: document for document in page["documents"]}


def test_a_shop_export_becomes_searchable(url: str, collection: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("sku;name;short;long;price\n1;Lamp;Bright;Very bright;5.5\n2;;;;1\n3;Chair;Soft;;7\n")
    columns = "id=sku,title=name,text=short+long"
    result = call("index", "--from", file, "--map", columns, "--collection", collection, "--url", url, "--json")
    assert result.exit_code == 1
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["created"], summary["refused"], summary["deleted"]) == (3, 2, 1, 0)
    assert summary["refusals"][0]["place"] == "shop.csv line 3"
    assert "shop.csv line 3 (2): text must not be empty" in result.stderr
    found = stored(url, collection)
    assert found["1"]["text"] == "Bright\n\nVery bright"
    assert found["1"]["fields"] == {"price": 5.5}
    deadline = time.monotonic() + TIMEOUT_S
    while not (hits := _search(url, collection)):
        assert time.monotonic() < deadline, "what was sent is not found"
        time.sleep(0.05)
    assert hits[0]["id"] == "1"


def _search(url: str, collection: str) -> list[dict[str, Any]]:
    with closing(ServiceClient(url, collection)) as remote:
        try:
            hits: list[dict[str, Any]] = remote.post("/v1/search", {"query": "lamp", "log": False})["hits"]
        except (NotReady, Refused):
            return []  # no version serves the collection yet
    return hits


@pytest.mark.parametrize("kind", ["parquet", "pages", "beir", "array"])
def test_every_kind_of_source_arrives(url: str, collection: str, tmp_path: Path, kind: str) -> None:
    documents = [{"id": f"d{number}", "title": f"T{number}", "n": number} for number in range(3)]
    source = tmp_path / "source"
    if kind == "parquet":
        source = tmp_path / "a.parquet"
        parquet.write_table(pa.Table.from_pylist(documents), source)
    elif kind == "array":
        source = tmp_path / "a.json"
        source.write_text(json.dumps(documents))
    else:
        source.mkdir()
    if kind == "beir":
        lines = [json.dumps({"_id": one["id"], "title": one["title"], "n": one["n"]}) for one in documents]
        (source / "corpus.jsonl").write_text("\n".join(lines))
    if kind == "pages":
        for one in documents:
            (source / f"{one['id']}").write_text("no page")
            (source / f"{one['id']}.md").write_text(f"---\nn: {one['n']}\n---\n# {one['title']}\n")
    result = call("index", source, "--collection", collection, "--url", url)
    assert result.exit_code == 0, result.output
    assert "3 created" in result.stdout
    suffix = ".md" if kind == "pages" else ""
    found = stored(url, collection)
    assert {name: (one["title"], one["fields"]) for name, one in found.items()} == {
        f"{one['id']}{suffix}": (one["title"], {"n": one["n"]}) for one in documents
    }


def write(folder: Path, *ids: str) -> Path:
    file = folder / "a.jsonl"
    file.write_text("".join(json.dumps({"id": name, "text": name}) + "\n" for name in ids))
    return file


def test_what_the_source_lost_is_deleted_when_asked_and_confirmed(url: str, collection: str, tmp_path: Path) -> None:
    where = ("--collection", collection, "--url", url)
    call("index", write(tmp_path, "a", "b", "c/d"), *where)
    result = call("index", write(tmp_path, "a"), "--delete-missing", *where, said="n\n")
    assert "delete 2 documents" in result.stderr
    assert set(stored(url, collection)) == {"a", "b", "c/d"}
    result = call("index", write(tmp_path, "a", "e"), "--delete-missing", "--yes", *where)
    assert "1 created, 0 updated, 1 unchanged, 0 refused, 2 deleted" in result.stdout
    assert set(stored(url, collection)) == {"a", "e"}


@pytest.mark.parametrize("content", ["", '{"id": "a", "text": "t"}\n{'])
def test_nothing_is_deleted_by_a_source_that_is_not_whole(
    url: str, collection: str, tmp_path: Path, content: str
) -> None:
    where = ("--collection", collection, "--url", url)
    file = write(tmp_path, "a", "b")
    call("index", file, *where)
    file.write_text(content)
    result = call("index", file, "--delete-missing", "--yes", *where)
    assert isinstance(result.exception, InvalidRequest)
    assert "nothing is deleted" in result.exception.detail
    assert set(stored(url, collection)) == {"a", "b"}


def test_a_dry_run_tells_and_sends_nothing(url: str, collection: str, tmp_path: Path) -> None:
    file = write(tmp_path, "a", "")
    result = call("index", file, "--dry-run", "--collection", collection, "--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "a.jsonl line 2: id must have 1 to 256 characters" in result.stderr
    assert "2 rows read, 1 of them not usable; nothing was sent" in result.stdout
    assert stored(url, collection) == {}


def test_a_service_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    result = call("index", write(tmp_path, "a"), "--url", "http://127.0.0.1:9")
    assert isinstance(result.exception, NotReady)
    assert "clickloop serve" in result.exception.detail


def test_a_source_is_named_once(tmp_path: Path) -> None:
    assert call("index").exit_code == 2
    assert call("index", "a", "--from", "b").exit_code == 2


@pytest.mark.parametrize("to", ["out.jsonl", "out.jsonl.gz", "out"])
def test_an_exported_collection_is_imported_as_it_was(url: str, collection: str, tmp_path: Path, to: str) -> None:
    documents = [{"id": f"d/{number}", "text": f"é {number}", "n": number} for number in range(1203)]
    source = tmp_path / "a.json"
    source.write_text(json.dumps(documents))
    where = ("--collection", collection, "--url", url)
    assert call("index", source, *where).exit_code == 0
    result = call("export", "--to", tmp_path / to, "--json", *where)
    assert json.loads(result.stdout)["documents"] == 1203
    again = call("index", "--from", tmp_path / to, *where)
    assert "1203 rows: 0 created, 0 updated, 1203 unchanged, 0 refused" in again.stdout
    assert isinstance(call("export", "--to", tmp_path / to, *where).exception, Conflict)
