"""What rated lists tell of those that were not, on every kind of database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from collector.labels import USUAL_SIGNALS, Signals
from collector.rated import read_signals
from collector.store import fold_batch
from foundation.db import reading, transaction
from tests.feedback import SETTINGS, event, impression


def signals_of(engine: sa.Engine, stars: float, lists: int) -> Signals:
    """Return the signals after so many lists were rated alike by people who stayed for a minute."""
    with transaction(engine) as connection:
        for number in range(lists):
            query_id = f"q{number}"
            content = (
                impression(query_id),
                event(f"d{number}", "dwell", query_id, "a", 60.0),
                event(f"r{number}", "rating", query_id, "a", stars),
            )
            fold_batch(connection, content, SETTINGS)
    with reading(engine) as connection:
        return read_signals(connection, "default")


def test_a_collection_without_ratings_has_the_usual_signals(any_engine: sa.Engine) -> None:
    with transaction(any_engine) as connection:
        fold_batch(connection, [impression("q"), event("d", "dwell", "q", "a", 60.0)], SETTINGS)
    with reading(any_engine) as connection:
        found = read_signals(connection, "default")
    assert found.satisfied == pytest.approx(USUAL_SIGNALS.satisfied)
    assert found.dissatisfied == pytest.approx(USUAL_SIGNALS.dissatisfied)


def test_long_stays_at_documents_that_users_like_count_for_more(any_engine: sa.Engine) -> None:
    assert signals_of(any_engine, 5.0, 60).satisfied > USUAL_SIGNALS.satisfied


def test_long_stays_at_documents_that_users_dislike_count_for_less(any_engine: sa.Engine) -> None:
    assert signals_of(any_engine, 1.0, 60).satisfied < USUAL_SIGNALS.satisfied
