"""Evidence is read in parts that never divide a query, on every kind of database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.api import read_evidence
from collector.join.batch import fold_batch
from collector.reads import evidence
from foundation.database.engine import transaction
from tests.feedback import SETTINGS, SHOWN_AT, event, impression


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 1000])
def test_parts_of_any_size_give_the_same_rows(
    any_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    shown = [
        impression(f"q{number}", query=f"query {number % 4}", unit=f"u{number}", minutes=20_000 * (number % 3))
        for number in range(12)
    ]
    clicks = [event(f"c{number}", "click", f"q{number}", "a", days=30 + number % 3) for number in range(12)]
    with transaction(any_engine) as connection:
        fold_batch(connection, [*shown, *clicks], SETTINGS)
    now = SHOWN_AT + timedelta(days=40)
    whole = read_evidence(any_engine, "default", now, 30)

    monkeypatch.setattr(evidence, "_ROWS_AT_ONCE", at_once)

    assert read_evidence(any_engine, "default", now, 30) == whole
    assert len(whole) == 4 * 3
    assert len({(row.query_key, row.document_id) for row in whole}) == len(whole)


def test_equal_counts_are_one_object(any_engine: sa.Engine) -> None:
    shown = [impression(f"q{number}", query=f"query {number}", unit=f"u{number}") for number in range(5)]
    clicks = [event(f"c{number}", "click", f"q{number}", "a", seconds=9) for number in range(5)]
    with transaction(any_engine) as connection:
        fold_batch(connection, [*shown, *clicks], SETTINGS)

    found = [row for row in read_evidence(any_engine, "default", SHOWN_AT, 30) if row.document_id == "a"]

    assert len(found) == 5
    assert len({id(row.shown) for row in found}) == len({id(row.clicked) for row in found}) == 1
