"""What stands in a database of the release before, and what going up and down makes of it."""

from __future__ import annotations

import json

import sqlalchemy as sa

from ab_testing.tables import experiments
from collector.fold.outcomes import NO_OUTCOME, Outcome
from collector.join.rows import impression_row
from collector.tables import impressions, outcomes, quarantine_moves
from foundation.database import schema
from foundation.database.engine import reading, transaction
from foundation.database.tables import counters
from tests.feedback import SHOWN_AT, impression

BEFORE = "0013"


def test_searches_of_a_running_experiment_get_its_run_and_their_unit(any_engine: sa.Engine) -> None:
    schema.downgrade(any_engine, BEFORE)
    with transaction(any_engine) as connection:
        for collection, query_id, minutes, experiment, drawn_by in (
            ("default", "early", -5, "e1", ""),
            ("default", "q1", 0, "e1", ""),
            ("default", "q2", 5, "e1", "s1"),
            ("default", "plain", 5, "", ""),
            ("quiet", "q1", 0, "", ""),
        ):
            _insert(connection, collection, query_id, minutes, experiment, drawn_by)
        row = {"collection": "default", "id": "e1", "name": "e1", "state": "running", "plan": {"starts": 3}}
        connection.execute(sa.insert(experiments).values(row | {"created_at": SHOWN_AT, "started_at": SHOWN_AT}))
        connection.exec_driver_sql(
            "INSERT INTO quarantine (collection, unit, state, reasons, score, since, released_by) VALUES "
            "('default', 'u7', 'held', '[]', 1, '2026-01-05 00:00:00.000000', ''), "
            "('default', 'u8', 'released', '[]', 1, '2026-01-05 00:00:00.000000', 'ann')"
        )
    schema.upgrade(any_engine)

    with reading(any_engine) as connection:
        columns = (impressions.c[name] for name in ("query_id", "run", "drawn_by"))
        stored = connection.execute(sa.select(*columns).where(impressions.c.collection == "default"))
        assert {row.query_id: (row.run, row.drawn_by) for row in stored} == {
            "early": (0, "u1"),
            "q1": (3, "u1"),
            "q2": (3, "s1"),
            "plain": (0, ""),
        }
        assert connection.execute(sa.select(quarantine_moves)).all() == [("default", 0, "u7", "held")]
        marked = sa.select(counters.c.name).where(counters.c.name.startswith("recount:"))
        assert list(connection.execute(marked).scalars()) == ["recount:default"]
        assert connection.execute(sa.select(outcomes)).all() == []


def test_the_release_before_reads_what_is_left_of_an_outcome(any_engine: sa.Engine) -> None:
    gained = Outcome(clicked=(1,), clicked_ms=(7,), conversions={"a": 1}, revenue=5)
    with transaction(any_engine) as connection:
        rows = [impression_row(impression("q1"), gained, 1), impression_row(impression("q2"), NO_OUTCOME, 1)]
        connection.execute(sa.insert(impressions), rows)

    schema.downgrade(any_engine, BEFORE)

    with any_engine.connect() as connection:
        texts = connection.exec_driver_sql("SELECT outcome FROM impressions ORDER BY query_id").scalars()
        first, second = (json.loads(text) if isinstance(text, str) else text for text in texts)
    assert first == json.loads(json.dumps(Outcome(clicked=(1,), conversions={"a": 1}).to_json()))
    assert second == json.loads(json.dumps(NO_OUTCOME.to_json()))


def _insert(
    connection: sa.Connection, collection: str, query_id: str, minutes: int, experiment: str, drawn_by: str
) -> None:
    row = impression_row(impression(query_id, collection=collection, minutes=minutes), NO_OUTCOME, 0)
    row |= {"experiment": experiment, "drawn_by": drawn_by}
    added = {"run", "plan_hash", "first_difference", "had_evidence", "known", "took_ms", "change", "forced_clicks"}
    table = sa.table("impressions", *(sa.column(one.name, one.type) for one in impressions.c if one.name not in added))
    connection.execute(sa.insert(table), [{name: value for name, value in row.items() if name not in added}])
