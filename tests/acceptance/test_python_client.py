"""The Python client against the running service: what it reported is stored once, whatever happens to the service."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.harness.fixtures import drain, index
from benchmarks.harness.server import Server
from clickloop.client import AsyncClient, Client, EventsRefused, RequestRefused
from clickloop.container import Container
from collector.tables import events, impressions
from foundation.database.engine import reading
from foundation.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "clients.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def service(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, documents: list[dict[str, Any]]
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    (home / "onnx").symlink_to(tiny_model.parent / "onnx")
    with Server(Settings(home=home, model=str(tiny_model), encoder_threads=1, log_level="warning")) as server:
        answer: dict[str, Any] = {
            "id": "reset",
            "title": "Reset your password",
            "text": "Whoever forgot it chooses a new one here.",
            "app": "web",
        }
        index(server.remote, [*documents, answer])
        yield server


@pytest.fixture(scope="module")
def container(service: Server) -> Iterator[Container]:
    """The service's database."""
    container = Container(service.settings)
    yield container
    container.log.close()
    container.engine.dispose()


def stored(container: Container, query_ids: Collection[str]) -> list[str]:
    """Return the ids of the events stored of some lists, in order, after everything accepted is folded."""
    drain(container)
    with reading(container.engine) as connection:
        found = connection.execute(sa.select(events.c.id).where(events.c.query_id.in_(query_ids)))
        return sorted(found.scalars())


def ranks_clicked(container: Container, query_id: str) -> int:
    with reading(container.engine) as connection:
        statement = sa.select(impressions.c.clicks).where(impressions.c.query_id == query_id)
        return int(connection.execute(statement).scalar_one())


def test_a_killed_service_loses_and_doubles_nothing(service: Server, container: Container) -> None:
    reported = []
    with Client(service.url, at_once=20, linger_s=0.05) as client:
        answer = client.search("print envelope", user="u1")
        reported += [client.click(answer.query_id, hit.id, user="u1") for hit in answer.hits]
        reported += [client.rate(answer.query_id, answer.hits[0].id, 4) for _ in range(300)]
        service.kill()  # while it is being told
        reported += [client.click(answer.query_id, answer.hits[0].id) for _ in range(50)]
        service.start()
        client.flush(60)
        assert (client.counts.accepted, client.counts.refused, client.counts.overflowed) == (len(reported), 0, 0)
    assert stored(container, [answer.query_id]) == sorted(reported)
    assert ranks_clicked(container, answer.query_id) == len(answer.hits)


def test_the_same_event_reported_twice_counts_once(service: Server, container: Container) -> None:
    for _ in range(2):  # two processes of an app, or one that crashed in between
        with Client(service.url) as client:
            client.report("click", "twice", "a", event_id="order-7041")
    assert stored(container, ["twice"]) == ["order-7041"]


def test_what_the_service_refuses_is_told_in_its_words(service: Server) -> None:
    with Client(service.url, strict=True) as client:
        with pytest.raises(RequestRefused, match="less than or equal to 100") as caught:
            client.search("print envelope", limit=1000)
        assert caught.value.fields[0].field == "limit"
        client.rate("refused", "a", 9)
        with pytest.raises(EventsRefused, match="value must be a whole number of stars, 1 to 5"):
            client.flush()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documentation_run(service: Server, example: str) -> None:
    program = example.replace("http://127.0.0.1:8080", service.url)
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not done.stderr


def test_what_an_asynchronous_app_reports_arrives(service: Server, container: Container) -> None:
    async def visit(client: AsyncClient, number: int) -> tuple[str, str]:
        answer = await client.search("insert chart", user=f"u{number}")
        return answer.query_id, client.click(answer.query_id, answer.hits[0].id, user=f"u{number}")

    async def use() -> dict[str, str]:
        async with AsyncClient(service.url, strict=True) as client:
            return dict(await asyncio.gather(*(visit(client, number) for number in range(30))))

    reported = asyncio.run(use())
    assert stored(container, reported) == sorted(reported.values())
