"""What a rule puts at its rank teaches nothing: not of itself, and not of what stands around it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.reads.interleaved import read_interleaved
from collector.tables import evidence, impressions
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading
from tests.feedback import SETTINGS, SHOWN_AT, count, event, evidence_of, impression
from tests.integration.consumer.conftest import fold

_KINDS: list[EventType] = ["click", "click", "click", "rating", "conversion"]
_DOCUMENTS = [f"d{number}" for number in range(8)]


def with_forced(shown: Impression, rank: int, document_id: str = "pinned") -> Impression:
    """Return a list with a rule's document at a rank, and what stood there and below it a rank deeper."""
    above = [one for one in shown.results if one.rank < rank]
    below = [replace(one, rank=one.rank + 1) for one in shown.results if one.rank >= rank]
    return replace(shown, results=(*above, ShownResult(document_id, rank, 0.0, forced=True), *below))


def without_forced(shown: Impression) -> Impression:
    """Return a list without what a rule put into it; all else stands where people saw it."""
    return replace(shown, results=tuple(one for one in shown.results if not one.forced))


def days_of(people: int) -> Iterator[tuple[list[Impression], list[FeedbackEvent]]]:
    """Yield what people see and do, with a rule's document in most lists, which many click and rate."""
    coin = random.Random(7)
    for person in range(people):
        lists, events = [], []
        for search in range(coin.randint(1, 4)):
            query_id = f"q{person}-{search}"
            ranked = coin.sample(_DOCUMENTS, 5)
            results = tuple(ShownResult(name, rank, 1 / rank) for rank, name in enumerate(ranked, 1))
            asked = coin.choice(["toner", "ink", "paper"])
            shown = impression(query_id, query=asked, unit=f"u{person}", minutes=10 * search)
            shown = replace(shown, results=results)
            if coin.random() < 0.8:
                known = {"d1"} & set(_DOCUMENTS) - set(ranked)
                shown = with_forced(shown, coin.randint(1, 4), coin.choice(["pinned", *known]))
            lists.append(shown)
            for one in shown.results:
                if coin.random() < (0.5 if one.forced else 0.2):
                    kind: EventType = coin.choice(_KINDS)
                    value = 5.0 if kind != "click" else 0.0
                    name = f"e{query_id}-{one.rank}"
                    made = event(name, "click", query_id, one.id, seconds=600 * search + one.rank)
                    events.append(made if kind == "click" else replace(made, type=kind, value=value))
        yield lists, events


def test_evidence_is_that_of_the_same_lists_without_what_rules_put_there(
    engine: sa.Engine, postgres_engine: sa.Engine
) -> None:
    """Each person's lists are folded as they are, and as if the rule had left a gap where nobody did anything."""
    for lists, events in days_of(30):
        forced = {(one.query_id, result.id) for one in lists for result in one.results if result.forced}
        fold(engine, *lists)
        fold(engine, *events)
        fold(
            postgres_engine,
            *map(without_forced, lists),
            *(one for one in events if (one.query_id, one.document_id) not in forced),
        )

    assert count(engine, evidence) > 15
    assert evidence_digest(engine, "default") == evidence_digest(postgres_engine, "default")
    replay(engine, "default", SETTINGS)
    assert evidence_digest(engine, "default") == evidence_digest(postgres_engine, "default")


def test_a_click_on_it_does_not_show_that_the_rest_was_looked_at(any_engine: sa.Engine) -> None:
    fold(any_engine, with_forced(impression("q1"), 1), event("e1", "click", "q1", "pinned"))
    assert count(any_engine, evidence) == 0
    with reading(any_engine) as connection:
        row = connection.execute(sa.select(impressions)).one()
    assert (row.clicks, row.forced_clicks) == (1, 1)

    fold(any_engine, event("e2", "click", "q1", "b"))
    assert (evidence_of(any_engine, "b").clicked[2], evidence_of(any_engine, "a").shown[1]) == (1, 1)


def test_it_teaches_where_it_stands_by_itself(any_engine: sa.Engine) -> None:
    fold(any_engine, with_forced(impression("q1"), 1, "b2"), event("e1", "click", "q1", "b2"))
    fold(any_engine, impression("q2", unit="u2"), event("e2", "click", "q2", "b"))
    assert evidence_of(any_engine, "b").users == 1
    assert count(any_engine, evidence) == 3


@pytest.mark.parametrize("forced", [False, True])
def test_interleaved_lists_with_it_say_nothing_of_rankings(any_engine: sa.Engine, forced: bool) -> None:
    drawn = replace(impression("q1"), arm="interleaved", experiment="x")
    fold(any_engine, with_forced(drawn, 1) if forced else drawn)
    with reading(any_engine) as connection:
        assert len(list(read_interleaved(connection, "default", SHOWN_AT - timedelta(days=1)))) == (0 if forced else 1)
