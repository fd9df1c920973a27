"""On which surface queries are asked most, on every kind of database."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from collector.api import read_surfaces
from collector.join.batch import fold_batch
from foundation.database.engine import transaction
from tests.feedback import SETTINGS, SHOWN_AT, impression


def test_each_query_has_the_surface_on_which_it_is_asked_most(any_engine: sa.Engine) -> None:
    asked = [("toner", "page"), ("toner", "context"), ("toner", "context"), ("ink", "page")]
    shown = [
        impression(f"q{number}", query=query, unit=f"u{number}", surface=surface, minutes=number)
        for number, (query, surface) in enumerate(asked)
    ]
    with transaction(any_engine) as connection:
        fold_batch(connection, shown, SETTINGS)

    assert read_surfaces(any_engine, "default", SHOWN_AT - timedelta(days=1)) == {"toner": "context", "ink": "page"}
    assert read_surfaces(any_engine, "default", SHOWN_AT + timedelta(days=1)) == {}
    assert read_surfaces(any_engine, "other", SHOWN_AT - timedelta(days=1)) == {}
