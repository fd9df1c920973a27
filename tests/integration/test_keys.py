"""Keys are made once, known by their digest, and end when they are removed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from foundation.access.keys import PREFIX, Keys
from foundation.access.tables import api_keys
from foundation.clock import FrozenClock
from foundation.database import schema
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict, InvalidRequest, NotFound
from foundation.ids import digest_bytes


@pytest.fixture
def keys(any_engine: sa.Engine, clock: FrozenClock) -> Keys:
    return Keys(any_engine, clock)


def test_a_token_finds_its_key_after_the_next_look(keys: Keys) -> None:
    token = keys.add("shop", "help", "app")
    keys.refresh()

    found = keys.find(token)

    assert found is not None
    assert (found.name, found.collection, found.role) == ("shop", "help", "app")
    assert keys.find(token + "x") is None
    assert keys.find("\ud800") is None


def test_only_the_digest_is_kept(keys: Keys, any_engine: sa.Engine) -> None:
    token = keys.add("shop", "help", "app")

    with reading(any_engine) as connection:
        row = connection.execute(sa.select(api_keys)).one()
    assert row.digest == digest_bytes(token.encode())
    assert token not in str(tuple(row))
    assert token.startswith(PREFIX)
    assert len(token) >= 36


def test_a_removed_key_is_unknown_after_the_next_look(keys: Keys) -> None:
    token = keys.add("shop", "help", "admin")
    keys.refresh()
    keys.remove("shop", "help")

    assert not keys.stale, "what was just read holds for two seconds"
    keys.refresh()
    assert keys.find(token) is None
    with pytest.raises(NotFound, match="no key named 'shop'"):
        keys.remove("shop", "help")


def test_names_are_unique_within_a_collection(keys: Keys) -> None:
    keys.add("shop", "help", "app")
    keys.add("shop", "other", "app")

    with pytest.raises(Conflict, match="remove it first"):
        keys.add("shop", "help", "admin")
    assert [(key.collection, key.name) for key in keys.list()] == [("help", "shop"), ("other", "shop")]


def test_a_key_needs_a_name(keys: Keys) -> None:
    with pytest.raises(InvalidRequest, match="1 to 160 characters"):
        keys.add(" ", "help", "app")


def test_keys_of_one_name_that_a_release_before_made_get_names_of_their_own(
    any_engine: sa.Engine, clock: FrozenClock
) -> None:
    schema.downgrade(any_engine, "0011")
    with transaction(any_engine) as connection:
        for digest, collection in (("b" * 64, "help"), ("a" * 64, "help"), ("c" * 64, "other")):
            row = {"digest": digest, "name": "n" * 160, "collection": collection, "created_at": clock.now()}
            connection.execute(sa.insert(api_keys).values(row))
            clock.advance(timedelta(seconds=1))
    schema.upgrade(any_engine)

    with reading(any_engine) as connection:
        names = {row.digest: row.name for row in connection.execute(sa.select(api_keys))}
    assert names == {"b" * 64: "n" * 160, "a" * 64: "n" * 95 + "-" + "a" * 64, "c" * 64: "n" * 160}
