"""Interleaved lists are read as they were shown, on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from collector.api import InterleavedSearch, read_interleaved
from collector.join.batch import fold_batch
from foundation.contracts import ShownResult
from foundation.database.engine import reading, transaction
from tests.feedback import SETTINGS, SHOWN_AT, event, impression


def test_each_list_has_its_documents_their_chances_and_what_was_clicked(any_engine: sa.Engine) -> None:
    results = (ShownResult("b", 1, 1.0, "treatment", 0.5), ShownResult("a", 2, 0.5, "control", 0.5))
    mixed = replace(impression("q1"), arm="interleaved", experiment="e", run=1, results=results)
    with transaction(any_engine) as connection:
        fold_batch(connection, [mixed, impression("q2"), event("c", "click", "q1", "a", seconds=9)], SETTINGS)

    with reading(any_engine) as connection:
        found = list(read_interleaved(connection, "default", SHOWN_AT - timedelta(days=1)))
        later = list(read_interleaved(connection, "default", SHOWN_AT + timedelta(days=1)))

    assert found == [InterleavedSearch("toner", "u1", ("b", "a"), (0.5, 0.5), (2,))]
    assert later == []
