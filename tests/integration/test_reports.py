"""What a person reads in the reports on queries and pairs, on every kind of database."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyarrow import parquet

from clickloop.cli.pairs import COLUMNS, export_pairs, labelled_pairs
from collector.join.batch import fold_batch
from collector.quarantine.quarantine import Quarantine
from collector.reports.http import make_router
from foundation.clock import FrozenClock
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.errors import Conflict, InvalidRequest, NotFound
from foundation.retries import RetryPolicy
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge

SETTINGS = Settings(_env_file=None)


def ask(
    clock: FrozenClock,
    query: str,
    people: int,
    *,
    clicked: str = "",
    shown: str = "abc",
    days: int = 1,
    nobody: bool = False,
) -> Any:
    at = clock.now() - timedelta(days=days)
    for number in range(people):
        query_id = f"{query}/{number}"
        unit = query_id if nobody else f"u{number}"
        results = tuple(ShownResult(name, rank, 1.0) for rank, name in enumerate(shown, 1))
        yield Impression("default", query_id, query, unit, "v-1", results, at)
        if clicked:
            yield event(query_id, "click", clicked, 0.0, at)


def event(query_id: str, kind: EventType, document_id: str, value: float, at: Any) -> FeedbackEvent:
    return FeedbackEvent("default", f"{query_id}/{kind}", kind, query_id, document_id, "", value, at, at)


@pytest.fixture
def client(any_engine: sa.Engine, clock: FrozenClock) -> Iterator[TestClient]:
    content = [
        *ask(clock, "toner", 8, clicked="a"),
        *ask(clock, "ink", 6, shown=""),
        *ask(clock, "my secret", 4, shown=""),
        *ask(clock, "paper", 5, clicked="b", days=40),
        *(event(f"toner/{number}", "rating", "a", 1.0, clock.now()) for number in range(3)),
    ]
    with transaction(any_engine) as connection:
        fold_batch(connection, content, SETTINGS)
    app = FastAPI()
    install_edge(app, Edge(SETTINGS.max_body_bytes))
    app.include_router(make_router(any_engine, clock, SETTINGS))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_queries_come_with_their_figures(client: TestClient) -> None:
    report = client.get("/v1/reports/queries").json()

    assert [one["query"] for one in report["queries"]] == ["toner", "ink"]
    toner = report["queries"][0]
    assert (toner["searches"], toner["users"], toner["click_rate"], toner["mean_rating"]) == (8, 8, 1.0, 1.0)
    assert (toner["csat"], toner["dissatisfied"], toner["zero_result_rate"]) == (0.0, 3, 0.0)
    assert (report["searches"], report["complete"], report["next"]) == (18, True, None)


def test_what_few_people_asked_is_counted_and_not_shown(client: TestClient) -> None:
    reply = client.get("/v1/reports/queries?by=zero-result")

    assert "secret" not in reply.text
    assert [one["query"] for one in reply.json()["queries"]] == ["ink"]
    assert reply.json()["rare"] == {"queries": 1, "searches": 4}


def test_the_window_is_of_days(client: TestClient) -> None:
    report = client.get("/v1/reports/queries?days=60").json()

    assert [one["query"] for one in report["queries"]] == ["toner", "ink", "paper"]


def test_pages_follow_each_other(client: TestClient) -> None:
    first = client.get("/v1/reports/queries?limit=1").json()
    second = client.get(f"/v1/reports/queries?limit=1&offset={first['next']}").json()

    assert [one["query"] for one in first["queries"] + second["queries"]] == ["toner", "ink"]
    assert second["next"] is None


def test_low_satisfaction_comes_in_clusters(client: TestClient) -> None:
    report = client.get("/v1/reports/queries?by=low-csat").json()

    assert [one["queries"] for one in report["clusters"]] == [["toner"]]
    assert client.get("/v1/reports/queries").json()["clusters"] == []


@pytest.mark.parametrize(
    "wrong",
    ["queries?by=fame", "queries?days=0", "queries?limit=1001", "queries?offset=-1", "pairs?limit=0", "pairs?days=x"],
)
def test_wrong_arguments_are_named(client: TestClient, wrong: str) -> None:
    reply = client.get(f"/v1/reports/{wrong}")

    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == wrong.split("?")[1].split("=", maxsplit=1)[0]


def test_pairs_name_the_searches_they_come_from(client: TestClient) -> None:
    page = client.get("/v1/reports/pairs").json()

    toner = {one["document_id"]: one for one in page["pairs"] if one["query"] == "toner"}
    assert set(toner) == {"a", "b", "c"}
    assert (toner["a"]["shown"], toner["a"]["clicked"], toner["a"]["users"]) == (8, 8, 8)
    assert toner["a"]["dissatisfied"] == 3
    assert set(toner["a"]["sources"]) == {f"toner/{number}" for number in range(8)}
    paper = {one["document_id"]: one for one in page["pairs"] if one["query"] == "paper"}
    assert paper["b"]["relevance"] > paper["a"]["relevance"]
    assert page["complete"]


def test_how_far_a_pair_is_below_the_least_relevance_told_stays_open(
    client: TestClient, any_engine: sa.Engine, clock: FrozenClock
) -> None:
    with transaction(any_engine) as connection:
        fold_batch(connection, list(ask(clock, "stapler", 60, clicked="a")), SETTINGS)

    pairs = {
        one["document_id"]: one
        for one in client.get("/v1/reports/pairs?limit=1000").json()["pairs"]
        if one["query"] == "stapler"
    }

    assert pairs["a"]["uncertainty"] is not None
    assert (pairs["b"]["relevance"], pairs["b"]["uncertainty"]) == (0.0, None)


def test_pairs_are_paged_in_their_order(client: TestClient) -> None:
    whole = client.get("/v1/reports/pairs").json()["pairs"]
    pages, after = [], ""
    while after is not None:
        page = client.get("/v1/reports/pairs", params={"after": after, "limit": 2}).json()
        pages += page["pairs"]
        after = page["next"]

    assert pages == whole == sorted(whole, key=lambda one: (one["query"], one["document_id"]))


def test_pairs_of_rare_queries_are_left_out(client: TestClient, any_engine: sa.Engine, clock: FrozenClock) -> None:
    with transaction(any_engine) as connection:
        fold_batch(connection, list(ask(clock, "my other secret", 2, clicked="a")), SETTINGS)

    reply = client.get("/v1/reports/pairs")

    assert "secret" not in reply.text
    assert reply.json()["rare"] == 3


def test_searches_of_nobody_count_as_one_person(client: TestClient, any_engine: sa.Engine, clock: FrozenClock) -> None:
    alone = ask(clock, "my other secret", 9, clicked="a", nobody=True)
    with_others = [
        *ask(clock, "glue", 4, clicked="a"),
        *ask(clock, "glue", 9, clicked="a", nobody=True),  # four are known already
    ]
    with transaction(any_engine) as connection:
        fold_batch(connection, [*alone, *with_others], SETTINGS)

    queries, pairs = client.get("/v1/reports/queries"), client.get("/v1/reports/pairs")

    assert "secret" not in queries.text + pairs.text
    assert queries.json()["rare"] == {"queries": 2, "searches": 4 + 9}
    assert {one["query"]: one["users"] for one in queries.json()["queries"]}["glue"] == 5
    assert "glue" in {one["query"] for one in pairs.json()["pairs"]}


def test_held_users_do_not_count(client: TestClient, any_engine: sa.Engine, clock: FrozenClock) -> None:
    house = Quarantine(any_engine, SETTINGS, clock)
    for number in range(4):
        house.hold("default", f"u{number}")

    report, pairs = client.get("/v1/reports/queries").json(), client.get("/v1/reports/pairs").json()

    assert (report["queries"], report["rare"]) == ([], {"queries": 2, "searches": 4 + 2})
    assert (pairs["pairs"], pairs["rare"]) == ([], 6)

    house.release("default", "u3", "me")
    pairs = client.get("/v1/reports/pairs").json()["pairs"]
    assert {source for one in pairs for source in one["sources"]} == {f"toner/{number}" for number in range(3, 8)}


def test_new_feedback_shows_at_once(client: TestClient, any_engine: sa.Engine, clock: FrozenClock) -> None:
    before = client.get("/v1/reports/pairs").json()["pairs"]
    with transaction(any_engine) as connection:
        fold_batch(connection, list(ask(clock, "glue", 5, clicked="c")), SETTINGS)

    after = client.get("/v1/reports/pairs").json()["pairs"]

    assert len(after) == len(before) + 3


class Here:
    """A remote that asks the service of the test."""

    def __init__(self, client: TestClient) -> None:
        self.get = lambda path: client.get(path).json() if path != "/readyz" else {"collections": {"help": {}}}
        self.collection = "default"


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz", "pairs.csv", "pairs.parquet"])
def test_pairs_are_exported_whole_and_never_over_a_file(client: TestClient, tmp_path: Path, name: str) -> None:
    remote: Any = Here(client)
    wanted = client.get("/v1/reports/pairs").json()["pairs"]

    count = export_pairs(labelled_pairs(remote, RetryPolicy()), tmp_path / name)

    assert count == len(wanted)
    assert read(tmp_path / name) == wanted
    assert any(pair["uncertainty"] is None for pair in wanted)
    with pytest.raises(Conflict):
        export_pairs([], tmp_path / name)
    with pytest.raises(InvalidRequest, match=r"\.parquet"):
        export_pairs([], tmp_path / "pairs.xml")


def test_pairs_of_a_collection_that_feedback_never_came_for_are_an_error(client: TestClient, tmp_path: Path) -> None:
    client.headers["Clickloop-Collection"] = "nope"
    remote: Any = Here(client)
    remote.collection = "nope"

    with pytest.raises(NotFound, match="feedback never came for collection 'nope'; collections served: help"):
        export_pairs(labelled_pairs(remote, RetryPolicy()), tmp_path / "pairs.csv")

    assert list(tmp_path.glob("*pairs.csv")) == []


def read(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        table: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
        return table
    if file.suffix == ".csv":
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        texts = ("query", "document_id")
        return [{name: _cell(name, row[name]) if name not in texts else row[name] for name in COLUMNS} for row in rows]
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [json.loads(line) for line in content.splitlines()]


def _cell(name: str, cell: str) -> Any:
    if name == "sources":
        return cell.split()
    return float(cell) if cell else None
