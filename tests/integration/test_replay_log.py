"""`clickloop replay --from` against a running service, as a person calls it."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
import sqlalchemy as sa
import uvicorn
from pyarrow import parquet
from typer.testing import CliRunner, Result

from clickloop.cli.main import app
from clickloop.server.app import make_app
from collector.join.evidence import evidence_digest
from collector.tables import events, evidence, impressions
from foundation.database.engine import make_engine, reading
from foundation.errors import InvalidRequest, NotFound, NotReady
from foundation.settings import Settings
from tests.background import collecting
from tests.tiny_encoder import make_tiny_model

TIMEOUT_S = 20.0
FIRST = datetime(2025, 3, 1, 10, tzinfo=UTC)
ROWS = [
    {
        "query": f"query {number % 5}",
        "session": f"u{number}",
        "time": (FIRST + timedelta(hours=number)).isoformat(),
        "doc": f"d{rank}",
        "position": rank,
        "clicked": int(rank == 1 + number % 3),
    }
    for number in range(40)
    for rank in (1, 2, 3)
]
MAP = ("--map", "user=session,at=time,document_id=doc,rank=position")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(_env_file=None, home=home, model=str(make_tiny_model(home)), log_level="error")


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """The address of the whole service, over HTTP; it collects too."""
    config = uvicorn.Config(
        make_app(settings), port=0, log_level="error", access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    with collecting(settings):
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(TIMEOUT_S)


@pytest.fixture
def stored(settings: Settings) -> Iterator[sa.Engine]:
    engine = make_engine(settings.resolved_database_url())
    yield engine
    engine.dispose()


@pytest.fixture
def collection() -> str:
    """A collection of the test's own."""
    return uuid4().hex


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path / "home"))


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def count(engine: sa.Engine, table: sa.Table, collection: str) -> int:
    with reading(engine) as connection:
        statement = sa.select(sa.func.count()).select_from(table).where(table.c.collection == collection)
        return int(connection.execute(statement).scalar_one())


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["replay", *(str(one) for one in arguments)])


def write(folder: Path, ending: str) -> Path:
    file = folder / f"log.{ending}"
    match ending:
        case "csv":
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, list(ROWS[0]))
                writer.writeheader()
                writer.writerows(ROWS)
        case "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        case "parquet":
            parquet.write_table(pa.Table.from_pylist(ROWS), file)
    return file


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_click_log_of_any_format_becomes_evidence_and_comes_but_once(
    url: str, collection: str, stored: sa.Engine, tmp_path: Path, ending: str
) -> None:
    file = write(tmp_path, ending)
    where = ("--from", file, *MAP, "--collection", collection, "--url", url)
    result = call(*where)
    assert result.exit_code == 0, result.output
    assert "120 rows: 40 searches, 40 events, 0 refused" in result.stdout
    wait_until(lambda: count(stored, events, collection) == 40 and count(stored, evidence, collection) > 0)
    digest = evidence_digest(stored, collection)

    assert json.loads(call(*where, "--json").stdout)["searches"] == 40
    time.sleep(0.5)
    assert count(stored, impressions, collection) == 40
    assert count(stored, events, collection) == 40
    assert evidence_digest(stored, collection) == digest


def test_old_clicks_count_in_the_week_they_were_made(
    url: str, collection: str, stored: sa.Engine, tmp_path: Path
) -> None:
    call("--from", write(tmp_path, "csv"), *MAP, "--collection", collection, "--url", url)
    clicked = sa.select(sa.func.sum(impressions.c.clicks)).where(impressions.c.collection == collection)

    def clicks() -> int:
        with reading(stored) as connection:
            return int(connection.execute(clicked).scalar() or 0)

    wait_until(lambda: clicks() == 40)
    with reading(stored) as connection:
        periods = set(
            connection.execute(
                sa.select(evidence.c.period).where(evidence.c.collection == collection).distinct()
            ).scalars()
        )
    assert periods == {int(FIRST.timestamp() // 604800)}


def test_searches_and_events_may_lie_in_files_of_their_own(
    url: str, collection: str, stored: sa.Engine, tmp_path: Path
) -> None:
    at = FIRST.isoformat()
    searches, acts = tmp_path / "searches.tsv", tmp_path / "acts.jsonl"
    searches.write_text(
        f"query_id\tquery\tuser\tat\tresults\nq1\ttoner\tu1\t{at}\ta|b\nq2\tink\tu1\t{at}\t\nq3\tink\tu1\tnoon\ta\n"
    )
    acts.write_text(json.dumps({"query_id": "q1", "type": "rating", "value": 5, "document_id": "b", "at": at}))

    result = call(
        "--from", searches, "--from", acts, "--between", "|", "--collection", collection, "--url", url, "--json"
    )

    told = json.loads(result.stdout)
    assert (told["searches"], told["events"], told["refused"]) == (2, 1, 1)
    assert "searches.tsv line 4: at must be" in result.stderr
    wait_until(lambda: count(stored, events, collection) == 1 and count(stored, impressions, collection) == 2)


def test_a_column_of_the_map_may_be_in_any_of_the_files(tmp_path: Path) -> None:
    at = FIRST.isoformat()
    searches, clicks = tmp_path / "searches.csv", tmp_path / "clicks.csv"
    searches.write_text(f"query_id,query,at,shown_skus\nq1,toner,{at},a b\n")
    clicks.write_text(f"query_id,what,sku,at\nq1,click,a,{at}\n")
    where = ("--from", searches, "--from", clicks, "--dry-run", "--url", "http://127.0.0.1:9", "--map")

    assert "1 searches, 1 events, 0 refused" in call(*where, "results=shown_skus,type=what,document_id=sku").stdout
    wrong = call(*where, "results=shown_skus,type=what,document_id=skuu")
    assert isinstance(wrong.exception, InvalidRequest)
    assert "'skuu', which is not in searches.csv, clicks.csv; there are query_id, query, at, " in str(wrong.exception)


def test_a_dry_run_refuses_a_cell_that_may_be_many_ids(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"query,at,results\ntoner,{FIRST.isoformat()},a|b\n")
    where = ("--from", file, "--dry-run", "--url", "http://127.0.0.1:9")

    assert "name what separates the ids" in call(*where).stderr
    assert "1 searches, 0 events, 0 refused" in call(*where, "--between", " ").stdout


def test_a_log_of_no_known_format_is_told_what_a_log_may_be(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    told = str(call("--from", tmp_path / "a.txt", "--dry-run").exception)

    assert (
        told == "the format of a.txt is not known; take .csv, .tsv, .jsonl, .ndjson, .json (each also .gz) or .parquet"
    )


def test_a_dry_run_tells_file_line_and_column_and_sends_nothing(tmp_path: Path, collection: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("type,query_id,document_id,when\nclick,q1,a,noon\n")

    result = call("--from", file, "--map", "at=when", "--dry-run", "--url", "http://127.0.0.1:9")

    assert result.exit_code == 1
    assert "a.csv line 2: when must be ISO 8601" in result.stderr
    assert "1 rows: 0 searches, 0 events, 1 refused; nothing was sent" in result.stdout


def test_a_dry_run_counts_what_would_be_sent(tmp_path: Path) -> None:
    result = call("--from", write(tmp_path, "csv"), *MAP, "--dry-run", "--url", "http://127.0.0.1:9")

    assert "120 rows: 40 searches, 40 events, 0 refused; nothing was sent" in result.stdout


def test_what_is_missing_is_told_at_once(tmp_path: Path) -> None:
    assert isinstance(call("--from", tmp_path / "none.csv").exception, NotFound)
    assert isinstance(call("--from", write(tmp_path, "csv"), *MAP, "--url", "http://127.0.0.1:9").exception, NotReady)
    assert call("--map", "query=q").exit_code == 2
