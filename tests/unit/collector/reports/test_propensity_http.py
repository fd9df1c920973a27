"""What an engineer reads of position and trust bias."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.join.batch import fold_batch
from collector.quarantine.quarantine import Quarantine
from collector.reports.propensity_http import make_router
from foundation.clock import FrozenClock
from foundation.contracts import PRIOR_CURVE, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge

AT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def client(engine: sa.Engine) -> TestClient:
    app = FastAPI()
    install_edge(app, Edge(1000))
    app.include_router(make_router(engine, 3, lambda _: PRIOR_CURVE))
    return TestClient(app)


def search(number: int, shown: list[str], *clicked: str, unit: str = "", surface: str = "page") -> list[Any]:
    results = tuple(ShownResult(name, rank, 1.0) for rank, name in enumerate(shown, start=1))
    query_id, who = f"s{number}", unit or f"u{number}"
    impression = Impression("default", query_id, "toner", who, "v-1", results, AT, surface=surface)
    clicks = [
        FeedbackEvent("default", f"{query_id}-{name}", "click", query_id, name, who, 0.0, AT, AT) for name in clicked
    ]
    return [impression, *clicks]


def report(engine: sa.Engine, client: TestClient, *searches: list[Any]) -> dict[str, dict[str, Any]]:
    with transaction(engine) as connection:
        fold_batch(connection, [one for records in searches for one in records], Settings(_env_file=None))
    surfaces = client.get("/v1/reports/propensity").raise_for_status().json()["surfaces"]
    return {one["surface"]: one for one in surfaces}


def test_a_collection_without_searches_has_no_surfaces(client: TestClient) -> None:
    assert client.get("/v1/reports/propensity").json() == {"collection": "default", "surfaces": []}


def test_each_rank_has_its_click_rates_and_the_swaps_behind_them(engine: sa.Engine, client: TestClient) -> None:
    page = report(engine, client, search(1, ["a", "b", "c"], "a"), search(2, ["b", "a", "c"], "b", "a"))["page"]

    first, second, third = page["ranks"]
    assert (first["shown"], first["clicked"], first["swaps"], first["swapped_clicks"], first["ctr"]) == (2, 2, 2, 2, 1)
    assert (second["clicked"], second["swaps"], second["swapped_clicks"], second["ctr"]) == (1, 2, 1, 0.5)
    assert second["corrected_ctr"] == pytest.approx(0.5 / second["theta"], abs=1e-3)
    assert (third["swaps"], third["ctr"]) == (0, 0)
    assert (page["lists"], page["swapped_documents"]) == (2, 2)


def test_with_few_clicks_the_curve_is_the_prior_and_says_so(engine: sa.Engine, client: TestClient) -> None:
    page = report(engine, client, search(1, ["a", "b"], "a"))["page"]

    assert (page["family"], page["held_out"]) == ("prior", {})
    assert page["ranks"][1]["theta"] == pytest.approx(2**-0.75, abs=1e-4)
    assert page["ranks"][1]["standard_error"] is None
    assert page["alarm"] == {"over_corrects": False, "tilt": None, "standard_error": None}


def test_agents_and_people_are_kept_apart(engine: sa.Engine, client: TestClient) -> None:
    found = report(engine, client, search(1, ["a"], "a"), search(2, ["a"], surface="agent"))

    assert {surface: one["ranks"][0]["ctr"] for surface, one in found.items()} == {"page": 1, "agent": 0}


def test_one_person_counts_a_few_lists_only(engine: sa.Engine, client: TestClient) -> None:
    page = report(engine, client, *(search(number, ["a"], unit="eager") for number in range(9)))["page"]

    assert (page["lists"], page["ranks"][0]["shown"]) == (3, 3)


def test_held_users_do_not_count(engine: sa.Engine, client: TestClient) -> None:
    lists = [search(number, ["a"], "a", unit="bot") for number in range(3)]
    report(engine, client, *lists, search(3, ["a"], unit="bot", surface="agent"), search(4, ["a"]))

    Quarantine(engine, Settings(_env_file=None), FrozenClock(AT)).hold("default", "bot")
    found = report(engine, client)

    assert {surface: (one["lists"], one["ranks"][0]["clicked"]) for surface, one in found.items()} == {"page": (1, 0)}


def test_users_who_look_further_down_than_the_curve_in_use_ring_the_alarm(
    engine: sa.Engine, client: TestClient
) -> None:
    names = ["a", "b", "c", "d"]
    lists = [names[turn:] + names[:turn] for turn in range(4)]
    page = report(engine, client, *(search(number, lists[number % 4], *names) for number in range(100)))["page"]

    assert page["alarm"]["over_corrects"]
    assert page["alarm"]["tilt"] == pytest.approx(0.75, abs=0.2)
