"""Agents search by MCP, over standard input and over HTTP; what they cite comes back as a click."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import sqlalchemy as sa

from benchmarks.harness.server import Server
from collector.tables import impressions
from foundation.database.engine import make_engine, reading
from foundation.privacy.privacy import open_privacy

pytest.importorskip("mcp", reason="needs the extra: pip install 'clickloop[mcp]'")

from mcp import Client, StdioServerParameters, stdio_client

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 20.0


def command(service: Server, *options: str) -> list[str]:
    return [sys.executable, "-m", "clickloop", "mcp", "--url", service.url, *options]


def over_stdio(service: Server) -> Any:
    program, *arguments = command(service)
    return stdio_client(StdioServerParameters(command=program, args=arguments, cwd=ROOT))


@contextmanager
def listening(service: Server) -> Iterator[str]:
    """Give the address of an MCP server on HTTP, once it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    process = subprocess.Popen(command(service, "--http", "--port", str(address[1])), cwd=ROOT)  # noqa: S603  our own
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not _listens(address):
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{address[1]}/mcp"
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def complaint(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0])


def await_clicks(service: Server, query_id: str) -> tuple[str, str]:
    """Return surface and unit of an impression once a click on it is folded."""
    engine = make_engine(service.settings.resolved_database_url())
    wanted = sa.select(impressions.c.surface, impressions.c.unit).where(
        impressions.c.query_id == query_id, impressions.c.clicks == 1
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            with reading(engine) as connection:
                row = connection.execute(wanted).one_or_none()
            if row:
                return row.surface, row.unit
            assert time.monotonic() < deadline, "the click does not arrive"
            time.sleep(0.05)
    finally:
        engine.dispose()


def pseudonym(service: Server, name: str) -> str:
    """Return what stands for a person in what the service keeps."""
    return open_privacy(service.settings.home, service.settings).person(name)


async def answer_and_cite(client: Client) -> str:
    """Do as an agent does; return the query's id."""
    tools = await client.list_tools()
    assert {tool.name for tool in tools.tools} == {"search", "context", "feedback"}
    found = await call(client, "context", question="how do I print an envelope", budget_tokens=200)
    assert found["passages"][0]["document_id"] == "print-envelope"
    assert "print one envelope" in found["passages"][0]["text"]
    assert found["passages"][0]["rank"] == 1
    about = {"query_id": found["query_id"], "document_id": "print-envelope"}
    await call(client, "feedback", kind="cited", **about)
    await call(client, "feedback", kind="rated", stars=5, **about)
    await call(client, "feedback", kind="resolved", query_id=found["query_id"])
    return str(found["query_id"])


def test_what_an_agent_cites_over_standard_input_is_a_click_of_its_own_surface(service: Server) -> None:
    async def talk() -> str:
        async with Client(over_stdio(service)) as client:
            return await answer_and_cite(client)

    assert await_clicks(service, anyio.run(talk)) == ("agent", pseudonym(service, "agent"))


def test_the_same_tools_answer_over_http(service: Server) -> None:
    with listening(service) as url:

        async def talk() -> str:
            async with Client(url) as client:
                return await answer_and_cite(client)

        assert await_clicks(service, anyio.run(talk)) == ("agent", pseudonym(service, "agent"))


def test_documents_are_listed_with_ranks_and_wrong_calls_explained(service: Server) -> None:
    async def talk() -> None:
        async with Client(over_stdio(service)) as client:
            found = await call(client, "search", query="rotate picture", limit=2)
            assert [hit["rank"] for hit in found["hits"]] == [1, 2]
            assert found["hits"][0]["document_id"] == "rotate-picture"
            assert found["hits"][0]["title"] == "rotate picture"
            refused = await complaint(client, "feedback", kind="rated", query_id="q", document_id="d")
            assert "must be a whole number of stars" in refused
            refused = await complaint(client, "search", query="a", filters={"none": 1})
            assert "filters.none" in refused

    anyio.run(talk)


def test_an_agent_is_told_when_no_service_answers(service: Server) -> None:
    async def talk() -> str:
        arguments = ["-m", "clickloop", "mcp", "--url", "http://127.0.0.1:9"]
        async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT))) as mcp:
            return await complaint(mcp, "context", question="anything")

    assert "start one with `clickloop serve`" in anyio.run(talk)
