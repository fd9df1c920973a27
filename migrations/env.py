"""Alembic's environment: on the connection that `foundation.database.schema` hands over, else by the settings.

A new revision is drafted with `alembic revision --autogenerate --rev-id 0002 -m "what it does"`.
"""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import context

from foundation.database.engine import make_engine, transaction
from foundation.database.tables import metadata
from foundation.settings import Settings

_WITH_TABLES = (
    "foundation.access",
    "foundation.eventlog",
    "foundation.registry",
    "collector",
    "ab_testing",
    "serving",
    "retrainer",
)
for part in _WITH_TABLES:
    import_module(f"{part}.tables")  # adds them to `metadata`


def run(connection: sa.Connection) -> None:
    """Run the migrations that were asked for, in the transaction of `connection`."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    run(context.config.attributes["connection"])
else:
    with transaction(make_engine(Settings().resolved_database_url())) as own_connection:
        run(own_connection)
