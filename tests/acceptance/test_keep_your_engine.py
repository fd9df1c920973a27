"""The guide to keeping an engine, with PostgreSQL: its example finds, ranks, and learns from clicks."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.harness.server import Server
from clickloop.client import Client
from foundation.clock import monotonic_s

psycopg = pytest.importorskip("psycopg")
EXAMPLE = Path(__file__).parents[2] / "docs" / "example" / "postgresql.py"
TIMEOUT_S = 30.0
PRODUCTS = [(number, f"Laser toner {colour}", "fits most printers") for number, colour in enumerate(["black"] * 12, 1)]


@pytest.mark.postgres
def test_a_table_is_searched_and_its_clicks_teach(postgres_engine: sa.Engine, service: Server) -> None:
    example: dict[str, Any] = runpy.run_path(str(EXAMPLE))
    address = postgres_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, Client(service.url) as loop:
        connection.execute(example["SET_UP"])
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO products (id, title, body) VALUES (%s, %s, %s)", PRODUCTS)
        _, engine_order = example["search"](connection, loop, "laser toner", "nobody")
        assert engine_order == [one["id"] for one in example["find"](connection, "laser toner")]
        assert example["search"](connection, loop, "velvet curtain", "nobody") == ("", [])

        chosen = engine_order[8]
        for person in range(4):
            query_id, ids = example["search"](connection, loop, "laser toner", f"person-{person}")
            assert chosen in ids
            loop.click(query_id, chosen, user=f"person-{person}")
        loop.flush()
        deadline = monotonic_s() + TIMEOUT_S
        while example["search"](connection, loop, "laser toner", "nobody")[1].index(chosen) > 3:
            assert monotonic_s() < deadline, "clicks came to nothing"
            time.sleep(0.2)


@pytest.mark.postgres
def test_where_clickloop_is_away_the_engines_order_is_shown(postgres_engine: sa.Engine) -> None:
    example: dict[str, Any] = runpy.run_path(str(EXAMPLE))
    address = postgres_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, Client("http://127.0.0.1:9", timeout_s=0.5) as loop:
        connection.execute(example["SET_UP"])
        connection.execute("INSERT INTO products (id, title) VALUES (1, 'laser toner'), (2, 'toner')")
        assert example["search"](connection, loop, "toner", "u")[1] == ["1", "2"]
