"""The console and the reports count the same searches, of every collection."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.join.batch import fold_batch
from collector.join.people import hold
from collector.reads.activity import DAYS, count_days, total
from collector.reports.query_report import report_queries
from foundation.database.engine import transaction
from tests.feedback import SETTINGS, SHOWN_AT, event, impression


@pytest.mark.parametrize("collection", ["default", "shop"])
def test_the_console_and_the_report_count_the_same_searches(engine: sa.Engine, collection: str) -> None:
    lists = [
        impression(f"q{name}{number}", unit=f"u{number}", collection=name)
        for name in ("default", "shop")
        for number in range(4 if name == "default" else 7)
    ]
    agents = [replace(one, query_id=f"a{one.query_id}", surface="agent") for one in lists]
    clicks = [event(f"e{one.query_id}", "click", one.query_id, "a", collection=one.collection) for one in lists]
    with transaction(engine) as connection:
        fold_batch(connection, [*lists, *agents, *clicks], SETTINGS)
        held = {"unit": "u3", "reasons": [], "score": 1.0, "since": SHOWN_AT, "released_by": "", "released_at": None}
        hold(connection, "shop", [held], SETTINGS)
    now = SHOWN_AT + timedelta(hours=1)

    report = report_queries(engine, collection, "volume", now - timedelta(days=DAYS), 1, 0, 10)
    week = total(count_days(engine, collection, now))

    assert report.searches == week.searches == {"default": 4, "shop": 6}[collection]
    assert week.clicked == report.searches
