"""Whoever changes keys, fields, holds or a person's data is recorded where it is changed, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

import collector.quarantine.http
from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.privacy.erasure import Eraser
from collector.quarantine.quarantine import Quarantine
from collector.tables import erasures
from foundation.access.actions import latest_actions
from foundation.access.keys import Keys
from foundation.access.tables import actions
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database import schema
from foundation.database.engine import reading, transaction
from foundation.eventlog.embedded import EmbeddedLog
from foundation.privacy.privacy import Privacy
from foundation.privacy.pseudonyms import Pseudonyms
from foundation.privacy.signing import QueryIds
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.champion_moves import find_way_back
from foundation.registry.registry import Registry
from foundation.registry.tables import version_statuses, versions
from foundation.settings import Settings
from serving.catalog.declarations import Declarations

SETTINGS = Settings(_env_file=None)
PRIVACY = Privacy(Pseudonyms(b"k" * 32), None)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BEFORE = "0009"

QUERY_IDS = QueryIds(b"of the tests")


def told(engine: sa.Engine) -> list[tuple[str, str, str]]:
    return [(one.action, one.subject, one.actor) for one in latest_actions(engine, "default", 10)]


def test_who_added_and_removed_a_key_is_kept(any_engine: sa.Engine, clock: FrozenClock) -> None:
    keys = Keys(any_engine, clock)
    keys.add("shop", "default", "app", "cli:maria")
    assert [key.made_by for key in keys.list()] == ["cli:maria"]
    keys.remove("shop", "default", "cli:otto")
    assert told(any_engine) == [("key removed", "shop", "cli:otto"), ("key added", "shop", "cli:maria")]


def test_who_declared_a_field_is_kept(any_engine: sa.Engine, clock: FrozenClock) -> None:
    Declarations(any_engine, clock).change("default", {"price": "number", "old": None}, "key:maria")
    assert told(any_engine) == [("fields declared", "old, price", "key:maria")]
    assert latest_actions(any_engine, "default", 1)[0].detail == {"price": "number", "old": None}


def fold(engine: sa.Engine, query_id: str, unit: str) -> None:
    shown = Impression("default", query_id, "toner", unit, "v-1", (ShownResult("a", 1, 1.0),), NOW)
    click = FeedbackEvent("default", f"c-{query_id}", "click", query_id, "a", "", 0.0, NOW, NOW)
    with transaction(engine) as connection:
        fold_batch(connection, [shown, click], SETTINGS)


@pytest.fixture
def buttons(any_engine: sa.Engine, clock: FrozenClock) -> TestClient:
    app = FastAPI()
    quarantine = Quarantine(any_engine, SETTINGS, clock)
    app.include_router(collector.quarantine.http.make_router(quarantine, PRIVACY, QUERY_IDS))
    return TestClient(app)


def test_a_nameless_list_is_held_and_released_by_its_query_id(any_engine: sa.Engine, buttons: TestClient) -> None:
    nothing = evidence_digest(any_engine, "default")
    fold(any_engine, "q-1", "q-1")
    counted = evidence_digest(any_engine, "default")
    held = buttons.post("/v1/quarantine/q-1/hold").json()
    assert (held["unit"], held["state"], held["lists"], held["held_by"]) == ("q-1", "held", 1, "local")
    assert evidence_digest(any_engine, "default") == nothing != counted
    released = buttons.post("/v1/quarantine/q-1/release").json()
    assert (released["unit"], released["state"], released["released_by"]) == ("q-1", "released", "local")
    assert evidence_digest(any_engine, "default") == counted
    assert told(any_engine) == [("user released", "q-1", "local"), ("user held", "q-1", "local")]


def test_a_nameless_list_that_is_not_folded_yet_is_held_too(any_engine: sa.Engine, buttons: TestClient) -> None:
    nothing, query_id = evidence_digest(any_engine, "default"), QUERY_IDS.issue("default", NOW)
    assert buttons.post(f"/v1/quarantine/{query_id}/hold").json()["unit"] == query_id
    fold(any_engine, query_id, query_id)
    assert evidence_digest(any_engine, "default") == nothing


def test_who_never_searched_is_held_and_told_so(buttons: TestClient) -> None:
    held = buttons.post("/v1/quarantine/ann/hold").json()
    assert (held["unit"], held["state"], held["lists"]) == (PRIVACY.person("ann"), "held", 0)


def test_the_look_at_behaviour_names_itself(any_engine: sa.Engine, clock: FrozenClock) -> None:
    quarantine = Quarantine(any_engine, SETTINGS, clock)
    fold(any_engine, "q-1", "p-1")
    assert quarantine.hold("default", "p-1", "key:maria").held_by == "key:maria"


def test_who_erased_a_person_is_signed_for(any_engine: sa.Engine, clock: FrozenClock) -> None:
    log = EmbeddedLog(any_engine)
    eraser = Eraser(any_engine, log, PRIVACY.pseudonyms, SETTINGS, clock)
    person = PRIVACY.person("ann")
    Quarantine(any_engine, SETTINGS, clock).hold("default", person)
    receipt = eraser.erase("default", "ann", "key:maria")
    assert receipt.actor == "key:maria"
    assert eraser.audit("default", receipt.id).genuine
    assert told(any_engine) == [], "what was done to an erased person is erased too"
    with transaction(any_engine) as connection:
        connection.execute(sa.update(erasures).values(actor="key:otto"))
    assert not eraser.audit("default", receipt.id).genuine
    log.close()


def test_receipts_of_before_stay_genuine(any_engine: sa.Engine, clock: FrozenClock) -> None:
    log = EmbeddedLog(any_engine)
    eraser = Eraser(any_engine, log, PRIVACY.pseudonyms, SETTINGS, clock)
    receipt = replace(eraser.erase("default", "ann"), actor="")
    assert '"actor"' not in receipt.content()
    with transaction(any_engine) as connection:
        signature = PRIVACY.pseudonyms.sign(receipt.content())
        connection.execute(sa.update(erasures).values(actor="", signature=signature))
    assert eraser.audit("default", receipt.id).genuine
    log.close()


def test_a_database_of_before_gets_names_and_histories(any_engine: sa.Engine) -> None:
    schema.downgrade(any_engine, BEFORE)
    row = {"collection": "default", "parent": "", "status": "refused", "reason": "worse", "manifest": "{}"}
    row |= {"lineage": "{}", "metrics": "{}", "at": "2026-01-05 12:00:00"}
    with transaction(any_engine) as connection:
        for id_, parent in (("v-0", ""), ("v-1", "v-0"), ("v-2", "v-1")):
            connection.execute(
                sa.text(
                    "INSERT INTO versions (collection, id, parent, status, reason, manifest, lineage, metrics, "
                    "created_at) VALUES (:collection, :id, :parent, :status, :reason, :manifest, :lineage, :metrics, "
                    ":at)"
                ),
                row | {"id": id_, "parent": parent},
            )
    schema.upgrade(any_engine)
    with reading(any_engine) as connection:
        names = {row.id: row.name for row in connection.execute(sa.select(versions))}
        history = connection.execute(sa.select(version_statuses)).all()
        assert connection.execute(sa.select(actions)).all() == []
    assert names == {"v-0": "untuned", "v-1": "trained-2026-01-05", "v-2": "trained-2026-01-05-2"}
    assert {(one.version, one.status, one.reason, one.actor) for one in history} == {
        (f"v-{number}", "refused", "worse", "") for number in range(3)
    }


def test_the_rollbacks_of_a_database_of_before_are_known_as_such(any_engine: sa.Engine, tmp_path: Path) -> None:
    schema.downgrade(any_engine, BEFORE)
    made = [("v-0", ""), ("v-1", "v-0"), ("v-2", "v-1"), ("v-1", "v-2"), ("v-3", "v-1")]
    with transaction(any_engine) as connection:
        for collection in ("default", "shop"):
            for number, (version, previous) in enumerate(made[: 4 if collection == "default" else 5]):
                connection.execute(
                    sa.text(
                        "INSERT INTO champion_moves (collection, sequence, version, previous, reason, at) "
                        "VALUES (:collection, :sequence, :version, :previous, 'by hand', '2026-01-05 12:00:00')"
                    ),
                    {"collection": collection, "sequence": number + 1, "version": version, "previous": previous},
                )
    schema.upgrade(any_engine)
    registry = Registry(any_engine, ArtifactStore(str(tmp_path / "artifacts")))
    promoted = ["promotion"] * 3
    assert [move.kind for move in reversed(registry.moves("default"))] == [*promoted, "rollback"]
    assert [move.kind for move in reversed(registry.moves("shop"))] == [*promoted, "rollback", "promotion"]
    assert find_way_back("default", reversed(registry.moves("default")), "v-1") == "v-0"
