"""The migrations build the schema that the code expects, on every database, however they are started."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from foundation.database import schema
from foundation.database.engine import make_engine, transaction
from foundation.database.tables import metadata
from foundation.errors import SchemaOutdated


def differences(engine: sa.Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def test_the_migrations_build_the_tables_of_the_code(any_engine: sa.Engine) -> None:
    assert differences(any_engine) == []
    assert schema.current(any_engine) == schema.head()


def test_primary_keys_have_the_names_and_order_of_the_code(any_engine: sa.Engine) -> None:
    inspector = sa.inspect(any_engine)
    for name, table in metadata.tables.items():
        built = inspector.get_pk_constraint(name)
        assert built["constrained_columns"] == [column.name for column in table.primary_key]
        assert built["name"] == f"pk_{name}"


def test_going_down_and_up_again_ends_where_it_began(any_engine: sa.Engine) -> None:
    schema.downgrade(any_engine, "base")
    assert sa.inspect(any_engine).get_table_names() == ["alembic_version"]
    assert schema.current(any_engine) == ""
    schema.upgrade(any_engine)
    assert differences(any_engine) == []


def test_upgrading_twice_changes_nothing(any_engine: sa.Engine) -> None:
    schema.upgrade(any_engine)
    assert schema.current(any_engine) == schema.head()


def test_an_empty_database_is_refused_or_migrated_by_policy(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SchemaOutdated, match="clickloop migrate"):
        schema.prepare(engine, "refuse")
    schema.prepare(engine, "run")
    schema.prepare(engine, "refuse")
    engine.dispose()


@pytest.mark.parametrize("policy", ["run", "refuse"])
def test_a_database_of_a_newer_release_is_left_alone(engine: sa.Engine, policy: str) -> None:
    with transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="another release"):
        schema.prepare(engine, "run" if policy == "run" else "refuse")
    assert schema.current(engine) == "9999"


def migrate(url: str) -> str:
    engine = make_engine(url)
    schema.prepare(engine, "run")
    revision = schema.current(engine)
    engine.dispose()
    return revision


def start_together(url: str, processes: int = 4) -> list[str]:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.map(migrate, [url] * processes, chunksize=1)


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    assert set(start_together(f"sqlite:///{tmp_path / 'shared.db'}")) == {schema.head()}


@pytest.mark.postgres
def test_processes_that_start_at_once_migrate_once_on_postgresql(postgres_engine: sa.Engine) -> None:
    schema.downgrade(postgres_engine, "base")
    url = postgres_engine.url.render_as_string(hide_password=False)
    assert set(start_together(url)) == {schema.head()}
