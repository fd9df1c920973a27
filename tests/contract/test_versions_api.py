"""Moves of the champion name both ends and who made them; versions and runs have names; histories stay."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

import ab_testing.http
import foundation.web.http
import retrainer.http
from ab_testing.api import Experiments
from foundation.access.keys import Key
from foundation.clock import FrozenClock
from foundation.contracts import Manifest
from foundation.database.engine import transaction
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.registry.tables import champion_moves, version_statuses, versions
from foundation.web.middleware import Edge, install_edge
from foundation.web.requests import KEY_SCOPE
from retrainer.hotswap import HotSwap
from retrainer.runs import Runs
from retrainer.timetable import ErasureRetraining

BASELINE = Manifest(encoder="e")
FIRST, SECOND = (Manifest(encoder="e", adapter=name) for name in ("first", "second"))


class SignedIn:
    """ASGI middleware that stands for the check of keys: every request comes with one key."""

    def __init__(self, app: ASGIApp, key: Key) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, KEY_SCOPE: self._key}, receive, send)


class House:
    """The routes of versions, runs and experiments over a database with a champion that replaced the baseline."""

    def __init__(self, engine: sa.Engine, clock: FrozenClock, folder: Path) -> None:
        self.engine = engine
        self.clock = clock
        self.registry = Registry(engine, ArtifactStore(str(folder)))
        hotswap = HotSwap(engine, self.registry, clock, timedelta(minutes=1))
        self.experiments = Experiments(engine, clock)
        hotswap.install("default", BASELINE)
        for manifest in (FIRST, SECOND):
            self.register(manifest)
            hotswap.promote("default", manifest.id, "won", "autopilot")
            clock.advance(timedelta(hours=1))
        app = FastAPI()
        install_edge(app, Edge(10_000))
        runs, erasure_retraining = Runs(engine, clock), ErasureRetraining(engine)
        self.runs = runs
        app.include_router(
            retrainer.http.make_router(
                self.registry, runs, hotswap, BASELINE, lambda: ["default"], erasure_retraining, clock
            )
        )
        app.include_router(ab_testing.http.make_router(self.experiments, self._find))
        app.include_router(foundation.web.http.make_router(engine))
        key = Key("maria", "default", "admin", clock.now())
        self.client = TestClient(SignedIn(app, key))

    def register(self, manifest: Manifest, status: Any = "approved") -> None:
        lineage = {"data_digest": "d"}
        self.registry.register(
            Version("default", manifest.id, BASELINE.id, status, "by the gate", manifest, lineage, {}, self.clock.now())
        )

    def _find(self, collection: str, wanted: str) -> str | None:
        return self.registry.get(collection, wanted).id

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(path, json=body)

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def house(any_engine: sa.Engine, clock: FrozenClock, tmp_path: Path) -> House:
    return House(any_engine, clock, tmp_path / "artifacts")


@pytest.mark.parametrize("body", [{"from": SECOND.id}, {"from": SECOND.id, "to": FIRST.id}, {}])
def test_of_two_who_roll_back_at_once_one_is_told_and_both_end_at_the_same_version(
    house: House, body: dict[str, str]
) -> None:
    answers: list[Any] = []
    pressed = [
        threading.Thread(target=lambda: answers.append(house.post("/v1/versions/rollback", **body))) for _ in range(2)
    ]
    for one in pressed:
        one.start()
    for one in pressed:
        one.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert house.get("/v1/versions")["champion"] == FIRST.id


def test_a_rollback_says_what_it_did(house: House) -> None:
    move = house.post("/v1/versions/rollback", **{"from": SECOND.id, "reason": "complaints"}).json()
    assert {name: move[name] for name in ("version", "previous", "kind", "actor", "reason")} == {
        "version": FIRST.id,
        "previous": SECOND.id,
        "kind": "rollback",
        "actor": "key:maria",
        "reason": "complaints",
    }
    assert house.post("/v1/versions/rollback", **{"from": FIRST.id}).json()["version"] == BASELINE.id


def test_a_move_from_another_champion_or_to_another_version_does_nothing(house: House) -> None:
    for path, body in (
        ("rollback", {"from": FIRST.id}),
        ("rollback", {"from": SECOND.id, "to": BASELINE.id}),
        (f"{BASELINE.id}/promote", {"from": FIRST.id}),
        (f"{SECOND.id}/promote", {}),
    ):
        assert house.post(f"/v1/versions/{path}", **body).status_code == 409, path
    assert house.post("/v1/versions/rollback", **{"from": "v-none"}).status_code == 404
    assert house.get("/v1/versions")["champion"] == SECOND.id


def test_a_refusal_and_its_reason_survive_promotion_and_rollback(house: House) -> None:
    refused = Manifest(encoder="e", adapter="worse")
    house.register(refused, "refused")
    house.post(f"/v1/versions/{refused.id}/promote", reason="I know better")
    house.post("/v1/versions/rollback", **{"from": refused.id, "reason": "I did not"})
    found = house.get(f"/v1/versions/{refused.id}")
    assert [(one["status"], one["reason"], one["actor"]) for one in found["history"]] == [
        ("refused", "by the gate", "gate"),
        ("champion", "I know better", "key:maria"),
        ("retired", f"replaced by {SECOND.id}: I did not", "key:maria"),
    ]
    assert found["status"] == "retired"


def test_versions_say_what_they_are_until_somebody_names_them(house: House) -> None:
    names = {one["id"]: one["name"] for one in house.get("/v1/versions")["versions"]}
    day = f"{house.registry.get('default', FIRST.id).created_at:%Y-%m-%d}"
    assert names == {BASELINE.id: "untuned", FIRST.id: f"trained-{day}", SECOND.id: f"trained-{day}-2"}
    named = house.client.patch(f"/v1/versions/trained-{day}", json={"name": "Übung 1.5"})
    assert (named.status_code, named.json()["id"], named.json()["name"]) == (200, FIRST.id, "Übung 1.5")
    assert house.get("/v1/versions/Übung 1.5")["id"] == FIRST.id
    (action,) = house.get("/v1/actions")["actions"]
    assert (action["action"], action["subject"], action["actor"]) == ("version named", FIRST.id, "key:maria")
    assert action["detail"] == {"from": f"trained-{day}", "to": "Übung 1.5"}


@pytest.mark.parametrize("name", ["untuned", BASELINE.id])
def test_no_two_versions_have_one_name(house: House, name: str) -> None:
    assert house.client.patch(f"/v1/versions/{FIRST.id}", json={"name": name}).status_code == 409
    assert house.client.patch(f"/v1/versions/{BASELINE.id}", json={"name": name}).status_code == 200


@pytest.mark.parametrize("name", ["", " a", "a/b", "a\nb", "x" * 65, None, 5])
def test_a_name_that_fits_no_address_is_refused(house: House, name: Any) -> None:
    assert house.client.patch(f"/v1/versions/{FIRST.id}", json={"name": name}).status_code == 422


def test_a_name_is_taken_wherever_an_id_is(house: House) -> None:
    house.client.patch(f"/v1/versions/{FIRST.id}", json={"name": "May"})
    plan = {"name": "n", "kind": "interleaving", "planned_searches": 100, "min_days": 1, "max_days": 2}
    made = house.post("/v1/experiments", control="untuned", treatment="May", **plan).json()
    assert (made["plan"]["control"], made["plan"]["treatment"]) == (BASELINE.id, FIRST.id)
    assert house.post("/v1/versions/rollback", **{"from": SECOND.id, "to": "May"}).json()["version"] == FIRST.id
    assert house.post("/v1/versions/untuned/promote", **{"from": "May"}).json()["version"] == BASELINE.id


def test_runs_have_names_and_who_asked(house: House) -> None:
    run = house.post("/v1/training-runs").json()
    assert (run["name"], run["actor"]) == (f"run-{house.clock.now():%Y-%m-%d}", "key:maria")
    assert house.client.patch(f"/v1/training-runs/{run['name']}", json={"name": "after the sale"}).status_code == 200
    assert house.get("/v1/training-runs/after the sale")["id"] == run["id"]
    house.runs.advance(replace(house.runs.get("default", run["id"]), name=run["name"]), "plan")
    assert house.get("/v1/training-runs/after the sale")["step"] == "plan", "a step overwrites no name"


def test_a_request_that_is_refused_installs_nothing(house: House) -> None:
    with transaction(house.engine) as connection:
        for table in (champion_moves, version_statuses, versions):
            connection.execute(sa.delete(table))
    house.runs.request("default", autopilot=True, actor="schedule")
    assert house.post("/v1/versions/v-none/promote").status_code == 404
    assert house.post("/v1/training-runs").status_code == 409
    assert house.registry.list("default") == []


def test_who_asks_for_the_first_run_installs_the_first_champion(house: House) -> None:
    with transaction(house.engine) as connection:
        for table in (champion_moves, version_statuses, versions):
            connection.execute(sa.delete(table))
    assert house.post("/v1/training-runs").status_code == 202
    assert [(move.version, move.actor) for move in house.registry.moves("default")] == [(BASELINE.id, "key:maria")]


def test_who_made_started_and_stopped_an_experiment_is_kept(house: House) -> None:
    plan = {"name": "n", "kind": "interleaving", "planned_searches": 100, "min_days": 1, "max_days": 2}
    made = house.post("/v1/experiments", control=FIRST.id, treatment=SECOND.id, **plan).json()
    started = house.post(f"/v1/experiments/{made['id']}/start").json()
    assert (started["created_by"], started["started_by"]) == ("key:maria", "key:maria")
    assert house.post(f"/v1/experiments/{made['id']}/stop").status_code == 200
    assert house.post(f"/v1/experiments/{made['id']}/stop").status_code == 409
    (decision,) = house.get(f"/v1/experiments/{made['id']}/decisions")["decisions"]
    assert (decision["verdict"], decision["actor"]) == ("stopped", "key:maria")
