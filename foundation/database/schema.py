"""The database's schema: at which revision it is, and the migrations that bring it up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from foundation.database.engine import LOCK_TIMEOUT_S, reading, transaction
from foundation.errors import SchemaOutdated

_LOCK = 0x636C69636B  # any number of clickloop's own serves; this one spells "click"


def head() -> str:
    """Return the revision that this release works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: sa.Engine) -> str:
    """Return the revision the database is at, "" for an empty one."""
    with reading(engine) as connection:
        return _current(connection)


def check(engine: sa.Engine) -> None:
    """Make sure that the database is at this release's revision.

    Raises:
        SchemaOutdated: It is at another one; the message says which, and what to do.
    """
    found, wanted = current(engine), head()
    if found != wanted:
        raise SchemaOutdated(
            f"the database is at revision {found or 'none'}, this release needs {wanted}; {_advice(found)}"
        )


def upgrade(engine: sa.Engine) -> None:
    """Bring the database to this release's revision, in one transaction.

    Processes that start at once wait for each other; all but the first find nothing to do.

    Raises:
        SchemaOutdated: It belongs to a newer release; nothing was changed.
    """
    with _alone(engine) as connection:
        if _is_known(found := _current(connection)):
            command.upgrade(_config(connection), "head")
            return
    raise SchemaOutdated(f"the database is at revision {found}; {_advice(found)}")


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Take the database back to `revision`, "base" for an empty one; the data of dropped tables is lost."""
    with _alone(engine) as connection:
        command.downgrade(_config(connection), revision)


def prepare(engine: sa.Engine, policy: Literal["run", "refuse"]) -> None:
    """Make the database fit before a service starts: migrate it, or refuse to start on another revision.

    Raises:
        SchemaOutdated: It does not fit and may not, or cannot, be migrated.
    """
    if policy == "run":
        upgrade(engine)
    check(engine)


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that no other process's migration shares."""
    with transaction(engine, LOCK_TIMEOUT_S) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        yield connection


def _current(connection: sa.Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def _is_known(revision: str) -> bool:
    scripts = ScriptDirectory.from_config(_config())
    return not revision or revision in {script.revision for script in scripts.walk_revisions()}


def _advice(found: str) -> str:
    if _is_known(found):
        return "run `clickloop migrate`, or start with CLICKLOOP_MIGRATE=run"
    return "it belongs to another release; install that one, or restore a backup"


def _config(connection: sa.Connection | None = None) -> Config:
    packaged = Path(__file__).parent / "_migrations"
    config = Config()
    config.set_main_option("path_separator", "os")
    scripts = packaged if packaged.is_dir() else Path(__file__).parents[2] / "migrations"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config
