"""A replay goes on where it ended, and a refusal costs nothing but what is at fault."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clickloop.cli.history.delivery import LogDelivery
from clickloop.cli.history.entries import SEARCHES, EntryReader, Outgoing
from clickloop.cli.history.log_columns import parse_columns
from clickloop.cli.history.reader import LogReader
from clickloop.cli.history.run import LogRun, LogTally
from clickloop.cli.importing.checkpoint import Checkpoint
from clickloop.cli.importing.delivery import RefusedRow
from clickloop.cli.importing.formats.source import Row
from foundation.errors import FieldFault, NotReady
from foundation.http_client import Refused
from foundation.retries import RetryPolicy

AT = "2025-03-01T10:00:00Z"


def rows(lists: int) -> list[Row]:
    return [
        Row(
            f"a.csv line {2 + 2 * number + rank}",
            {
                "query_id": f"q{number}",
                "query": "toner",
                "at": AT,
                "document_id": f"d{rank}",
                "rank": rank,
                "clicked": rank,
            },
        )
        for number in range(lists)
        for rank in (0, 1)
    ]


def reader() -> LogReader:
    return LogReader(EntryReader(parse_columns([]), "default", datetime(2026, 1, 5, tzinfo=UTC)))


class Service:
    """Takes batches and goes away after `retry` of them."""

    def __init__(self, retry: int = 10**9) -> None:
        self.retry = retry
        self.ids: list[str] = []

    def send(self, _path: str, batch: Sequence[Outgoing]) -> list[RefusedRow]:
        if self.retry == 0:
            raise NotReady("gone")
        self.retry -= 1
        self.ids += [one.id for one in batch]
        return []


def test_an_interrupted_replay_goes_on_where_it_ended(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, {}, [], LogTally())
    first = Service(retry=4)
    with pytest.raises(NotReady):
        LogRun(reader(), first.send, lambda _: None, checkpoint).run(rows(900))
    second = Service()
    run = LogRun(reader(), second.send, lambda _: None, checkpoint)
    assert run.tally.rows > 0

    tally = run.run(rows(900))

    assert (tally.rows, tally.searches, tally.events, tally.refused) == (1800, 900, 900, 0)
    assert len(first.ids + second.ids) == len(set(first.ids + second.ids)) == 1800
    assert checkpoint.load() == LogTally()


def test_what_the_service_refuses_is_told_with_its_column() -> None:
    told: list[RefusedRow] = []

    def send(path: str, batch: Sequence[Outgoing]) -> list[RefusedRow]:
        return [RefusedRow(batch[0].place, "", (FieldFault("at", "lies ahead"),))] if path == SEARCHES else []

    tally = LogRun(reader(), send, told.append).run(rows(3))

    assert (tally.searches, tally.events, tally.refused) == (2, 3, 1)
    assert [str(one) for one in told] == ["a.csv line 2: at lies ahead"]


class ServiceClient:
    """Refuses every batch that holds the search "bad"."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def post(self, _path: str, bodies: list[dict[str, Any]]) -> Any:
        ids = [body["query_id"] for body in bodies]
        if "bad" in ids:
            fault = FieldFault("0.user_query", "is bad") if len(ids) == 1 else FieldFault("body", "is too long")
            raise Refused("no", (fault,), 422 if len(ids) == 1 else 413)
        self.taken += ids
        return {"verdicts": [{"index": index, "status": "accepted", "reasons": []} for index in range(len(ids))]}


def test_a_batch_that_is_refused_as_a_whole_is_sent_again_in_halves() -> None:
    remote: Any = ServiceClient()
    batch = [
        Outgoing(SEARCHES, f"line {number}", name, f'{{"query_id": "{name}"}}')
        for number, name in enumerate(("a", "b", "bad", "c", "d"))
    ]

    refused = LogDelivery(remote, RetryPolicy(), parse_columns(["query=q"])).send(SEARCHES, batch)

    assert [str(one) for one in refused] == ["line 2 (bad): q is bad"]
    assert remote.taken == ["a", "b", "c", "d"]
