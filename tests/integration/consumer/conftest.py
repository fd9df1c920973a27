"""What these tests share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest
import sqlalchemy as sa

from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.tables import evidence
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import reading, transaction
from foundation.eventlog.protocol import Record, Subscription
from tests.feedback import SETTINGS, event, impression


class FailingOnce:
    """A subscription whose first commit fails after the effect is written, as a crash would."""

    def __init__(self, inner: Subscription, problem: Exception) -> None:
        self._inner = inner
        self._problems = [problem]

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        return self._inner.poll(max_records, min(timeout_s, 0.01))

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        self._inner.commit(connection, records)
        if self._problems:
            raise self._problems.pop()

    def lag(self) -> int:
        return self._inner.lag()

    def progress(self) -> int:
        return self._inner.progress()

    def rewind(self) -> None:
        self._inner.rewind()

    def close(self) -> None:
        self._inner.close()


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def passed_over(engine: sa.Engine, query: str) -> dict[str, int]:
    statement = sa.select(evidence).where(evidence.c.query_key == query)
    with reading(engine) as connection:
        return {row.document_id: sum(row.shown) for row in connection.execute(statement)}


def _recounted(engine: sa.Engine) -> str:
    replay(engine, "default", SETTINGS)
    return evidence_digest(engine, "default")


def _last_change(engine: sa.Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.max(evidence.c.change))).scalar_one())


def _world() -> list[Impression | FeedbackEvent]:
    """Twelve lists of three users and two queries over two weeks, more of nobody, an agent and a silent person,
    and all that was done with them."""
    shown = [
        impression(f"q{n}", query=("toner", "paper")[n % 2], unit=f"u{n % 3}", minutes=n * 1200) for n in range(12)
    ]
    done = [event(f"c{n}-{doc}", "click", f"q{n}", doc, seconds=n) for n in range(12) for doc in "abz" if n % 3]
    rest = [
        event("r1", "rating", "q1", "a", 5),
        event("r2", "rating", "q1", "a", 2, seconds=9),
        event("d1", "dwell", "q2", "b", 45),
        event("d2", "dwell", "q2", "b", 5),
        event("s1", "resolved", "q4"),
        event("s2", "unresolved", "q4", seconds=99),
        event("s3", "resolved", "q5"),
        event("v1", "conversion", "q7", "c", 12),
        event("l1", "click", "q0", "c", days=30),
        event("w1", "click", "never-shown", "a"),
        event("n1", "click", "nameless-1", "b"),
        event("n2", "seen", "nameless-2", "c"),
        event("g1", "click", "agent-1", "c"),
        event("g2", "rating", "agent-2", "a", 5),
        event("p1", "seen", "silent-2", "b"),
        event("p2", "dwell", "silent-2", "b", 99),
    ]
    others = [
        *(impression(f"nameless-{n}", unit=f"nameless-{n}", minutes=n) for n in range(3)),
        *(impression(f"agent-{n}", unit="agent", surface="agent", minutes=n) for n in range(3)),
        *(impression(f"silent-{n}", unit="silent", minutes=n) for n in range(4)),
    ]
    return [*shown, *others, *done, *rest]


@pytest.fixture
def founded(engine: sa.Engine) -> str:
    fold(engine, *_world())
    return evidence_digest(engine, "default")


def _moved(content: Iterable[Impression | FeedbackEvent], collection: str) -> Iterator[Impression | FeedbackEvent]:
    for one in content:
        names = [name for name in one.__dataclass_fields__ if name != "collection"]
        yield type(one)(collection=collection, **{name: getattr(one, name) for name in names})
