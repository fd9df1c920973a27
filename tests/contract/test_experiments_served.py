"""What a search gets while experiments run, and what is logged of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clickloop.container import Container
from clickloop.server.app import make_app
from collector.join.consumer import Consumer
from foundation.contracts import Impression
from foundation.settings import Settings
from serving.impressions import ImpressionLog
from tests.contract.conftest import DOCUMENTS, served, wait_until
from tests.tiny_encoder import make_tiny_model

PLAN: dict[str, Any] = {
    "name": "words only",
    "kind": "ab",
    "evidence": "shared",
    "planned_searches": 1000,
    "min_days": 0,
    "max_days": 9,
}
QUERY = "a chart or a transition in the menu"


class House:
    """A service, its champion, and what it logged."""

    def __init__(self, client: TestClient, consumer: Consumer, logged: list[Impression]) -> None:
        self.client = client
        self.consumer = consumer
        self.logged = logged
        self.champion = client.get("/v1/versions").json()["champion"]

    def start(self, *arms: dict[str, Any], **plan: Any) -> str:
        listed = [{"version": self.champion} | arm for arm in arms]
        made = self.client.post("/v1/experiments", json=PLAN | {"arms": listed} | plan)
        assert made.status_code == 201, made.text
        experiment: str = made.json()["id"]
        assert self.client.post(f"/v1/experiments/{experiment}/start").status_code == 200
        wait_until(lambda: any(self.assigned(f"u-{number}") for number in range(50)))
        return experiment

    def search(self, **options: Any) -> Any:
        response = self.client.post("/v1/search", json={"query": QUERY, **options})
        assert response.status_code == 200, response.text
        return response.json()

    def units(self, experiment: str) -> dict[str, int]:
        """Return the units that each arm has when all that was logged is folded."""
        while self.consumer.step():
            pass
        card = self.client.get(f"/v1/experiments/{experiment}").json()
        return {arm["arm"]: arm["units"] for arm in card["arms"]}

    def assigned(self, user: str, **options: Any) -> Any:
        answer = self.client.get("/v1/assignments", params={"user": user, **options})
        assert answer.status_code == 200, answer.text
        return answer.json()["assignments"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, model=str(make_tiny_model(home)), log_level="error", encoder_threads=1)


@pytest.fixture(scope="module")
def consumer(settings: Settings, client: TestClient) -> Iterator[Consumer]:
    container = Container(settings)
    yield container.make_consumer()
    container.log.close()
    container.engine.dispose()


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as client:
        assert client.put("/v1/documents", json=DOCUMENTS).status_code == 200
        wait_until(lambda: served(client).get("behind") == 0 and served(client)["version"] != "")
        yield client


@pytest.fixture
def house(client: TestClient, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    logged: list[Impression] = []
    publish = ImpressionLog.publish

    def listen(self: ImpressionLog, impression: Impression) -> Any:
        logged.append(impression)
        return publish(self, impression)

    monkeypatch.setattr(ImpressionLog, "publish", listen)
    house = House(client, consumer, logged)
    yield house
    for experiment in client.get("/v1/experiments").json()["experiments"]:
        if experiment["state"] == "running":
            client.post(f"/v1/experiments/{experiment['id']}/stop")
    wait_until(lambda: not any(house.assigned(f"u-{number}") for number in range(50)))


def test_outside_experiments_an_impression_says_nothing_of_them(house: House) -> None:
    assert house.search(user="u-1")["arm"] == "champion"
    [logged] = house.logged
    told = (logged.run, logged.plan_hash, logged.drawn_by, logged.known, logged.had_evidence, logged.took_ms)
    assert told == (0, "", "", False, False, 0)


def test_an_impression_says_what_its_verdict_rests_on(house: House) -> None:
    experiment = house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    plan_hash = house.assigned("u-1")[0]["plan_hash"]
    known, visit = house.search(user="u-1", session="s-1"), house.search(session="s-2")
    first, second = house.logged
    assert {first.arm, second.arm} <= {"control", "treatment"}
    for answer, logged in ((known, first), (visit, second)):
        assert (logged.experiment, logged.run, logged.plan_hash) == (experiment, 1, plan_hash)
        assert (answer["experiment"], answer["arm"]) == (experiment, logged.arm)
        assert logged.drawn_by == logged.unit != ""
        assert logged.took_ms > 0
        assert not logged.had_evidence
    assert (first.known, second.known) == (True, False)


def test_an_arm_may_change_settings_of_a_version(house: House) -> None:
    experiment = house.start(
        {"name": "control"},
        {"name": "treatment", "settings": {"meaning": False}},
        {"name": "rrf", "settings": {"fusion": "rrf"}},
    )
    scores = {
        arm: [hit["score"] for hit in house.search(arm=f"{experiment}:{arm}")["hits"]]
        for arm in ("control", "treatment", "rrf")
    }
    plain = [hit["score"] for hit in house.search(skip=["meaning"], log=False)["hits"]]
    assert scores["treatment"] == plain
    assert scores["control"] != scores["treatment"] != scores["rrf"] != scores["control"]


def test_a_forced_arm_ranks_and_counts_nowhere(house: House) -> None:
    experiment = house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    answer = house.search(user="u-1", arm=f"{experiment}:treatment")
    assert (answer["arm"], answer["experiment"], answer["logged"]) == ("treatment", "", True)
    [logged] = house.logged
    assert (logged.arm, logged.experiment, logged.run, logged.drawn_by) == ("treatment", "", 0, "")
    refused = house.client.post("/v1/search", json={"query": QUERY, "arm": f"{experiment}:best"})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["arm"]


def test_arms_of_settings_are_interleaved_with_their_own_ranks(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}}, kind="interleaving")
    assert house.search(user="u-1")["arm"] == "interleaved"
    [logged] = house.logged
    first = logged.first_difference
    assert first > 0
    for number in (0, 1):
        own = [shown.own_ranks[number] for shown in logged.results if shown.own_ranks[number]]
        assert sorted(set(own)) == sorted(own)
    shared = [shown.own_ranks for shown in logged.results[: first - 1]]
    assert shared == [(rank, rank) for rank in range(1, first)]
    assert [shown.team for shown in logged.results[: first - 1]] == [""] * (first - 1)


def test_no_interleaving_is_told_or_served_where_a_draft_cannot_be_shown_as_it_was_drawn(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}}, kind="interleaving")
    assert house.assigned("u-1", surface="context") == []
    assert house.search(user="u-1", surface="context")["arm"] == "champion"
    for surface in ("page", "agent", "sidebar"):
        [told] = house.assigned("u-1", surface=surface)
        assert told["arm"] == house.search(user="u-1", surface=surface)["arm"] == "interleaved"


def test_an_ab_test_is_told_for_chatbots_too(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    [told] = house.assigned("u-1", surface="context")
    assert told["arm"] == house.search(user="u-1", surface="context")["arm"]


def test_a_person_keeps_the_arm_at_log_in_and_a_nameless_search_takes_no_part(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    people = [f"p-{number}" for number in range(30)]
    before = [house.search(session=f"visit-{one}", k=1)["arm"] for one in people]
    after = [house.search(user=one, session=f"visit-{one}", k=1)["arm"] for one in people]
    assert before == after
    assert set(before) == {"control", "treatment"}
    assert house.search(k=1)["arm"] == "champion"


def test_the_app_hears_the_arm_that_a_search_gets(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    for user in ("u-1", "u-2", "u-3", "u-4"):
        [told] = house.assigned(user)
        answer = house.search(user=user, k=1)
        assert (told["experiment"], told["arm"]) == (answer["experiment"], answer["arm"])
    assert house.client.get("/v1/assignments").json() == {"assignments": []}
    assert house.client.get("/v1/assignments", params={"attribute": "tier"}).status_code == 422


def test_an_experiment_may_be_about_some_searches_only(house: House) -> None:
    arms = ({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    wait, house.assigned = house.assigned, lambda user, **_: wait(user, attribute="tier:pro")  # type: ignore[method-assign]  # its calls carry an attribute
    experiment = house.start(*arms, surfaces=["page"], attributes={"tier": ["pro"]})
    house.assigned = wait  # type: ignore[method-assign]  # its calls carry an attribute
    pro = {"user": "u-1", "attributes": {"tier": "pro"}}
    assert house.search(**pro)["experiment"] == experiment
    assert house.search(**pro, surface="agent")["experiment"] == ""
    assert house.search(user="u-1")["experiment"] == ""
    assert house.assigned("u-1") == []
    too_many = {str(number): "x" for number in range(17)}
    assert house.client.post("/v1/search", json={"query": QUERY, "attributes": too_many}).status_code == 422


def test_three_rankings_are_interleaved_in_one_list(house: House) -> None:
    experiment = house.start(
        {"name": "control"},
        {"name": "words", "settings": {"meaning": False}},
        {"name": "rrf", "settings": {"fusion": "rrf"}},
        kind="interleaving",
    )
    assert house.search(user="u-1")["arm"] == "interleaved"
    [logged] = house.logged
    assert {len(shown.own_ranks) for shown in logged.results} == {3}
    sides = {side for shown in logged.results for side in shown.team.split("+")}
    assert sides - {""} <= {"control", "treatment", "treatment_2"}
    card = house.client.get(f"/v1/experiments/{experiment}").json()
    assert [one["treatment"] for one in card["preferences"]] == ["words", "rrf"]
    for page in (f"/console/experiments/{experiment}", f"/console/experiments/{experiment}/report"):
        assert house.client.get(page).status_code == 200


def test_a_longer_page_begins_with_the_drafted_list_of_a_shorter_one(house: House) -> None:
    house.start({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}}, kind="interleaving")
    for user in ("u-1", "u-2", "u-3", "u-4"):
        long, short = (house.search(user=user, k=k)["hits"] for k in (5, 3))
        told = [[(hit["id"], hit["rank"], hit["team"]) for hit in hits] for hits in (long, short)]
        assert told[0][:3] == told[1]


def test_passages_in_an_order_of_their_own_join_no_interleaving(house: House) -> None:
    arms = ({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    house.start(*arms, kind="interleaving", surfaces=["context", "page"])
    asked = {"question": QUERY, "user": "u-1"}
    answer = house.client.post("/v1/context", json=asked).json()
    assert (answer["arm"], answer["experiment"]) == ("champion", "")
    [logged] = house.logged
    assert all((shown.team, shown.propensity, shown.own_ranks) == ("", 1.0, ()) for shown in logged.results)


def test_passages_join_an_ab_test(house: House) -> None:
    arms = ({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    experiment = house.start(*arms, surfaces=["context", "page"])
    answer = house.client.post("/v1/context", json={"question": QUERY, "user": "u-1"}).json()
    assert (answer["experiment"], answer["arm"]) == (experiment, house.assigned("u-1", surface="context")[0]["arm"])


def test_an_arm_may_be_an_engine_of_the_apps_own_whose_lists_count(house: House) -> None:
    ours, theirs = {"name": "ours", "weight": 1}, {"name": "theirs", "version": "", "engine": "solr"}
    experiment = house.start(ours, theirs, evidence="pinned")
    address, people = f"/v1/experiments/{experiment}/exposures", [f"p-{number}" for number in range(20)]
    arms = {person: house.assigned(person)[0] for person in people}
    assert {(one["arm"], one["engine"]) for one in arms.values()} == {("ours", ""), ("theirs", "solr")}
    lists = []
    for person, one in arms.items():
        if one["engine"]:
            assert house.search(user=person)["experiment"] == "", "who asks here in its place is no part of it"
            lists.append({"arm": "theirs", "user": person, "query": QUERY, "results": ["d1", "d2"], "query_id": person})
        else:
            assert house.search(user=person)["arm"] == "ours"
    wrong = lists[0] | {"user": next(person for person in people if not arms[person]["engine"]), "query_id": "wrong"}
    reply = house.client.post(address, json=[*lists, *lists, wrong])
    assert reply.status_code == 202, reply.text
    assert (reply.json()["accepted"], reply.json()["refused"]) == (2 * len(lists), 1)
    assert "not the unit's" in reply.json()["verdicts"][-1]["reasons"][0]

    assert house.units(experiment) == {"ours": len(people) - len(lists), "theirs": len(lists)}
    assert house.client.post(address, json=wrong).status_code == 422
    assert house.client.post("/v1/experiments/none/exposures", json=wrong).status_code == 404


def test_arms_that_the_app_assigns_count_as_it_names_them(house: House) -> None:
    arms = ({"name": "control"}, {"name": "treatment", "settings": {"meaning": False}})
    made = house.client.post(
        "/v1/experiments",
        json=PLAN | {"arms": [{"version": house.champion} | arm for arm in arms], "assigned_by": "app"},
    )
    experiment = made.json()["id"]
    assert house.client.post(f"/v1/experiments/{experiment}/start").status_code == 200
    asked = {"query": QUERY, "user": "a-1", "arm": f"{experiment}:treatment"}
    wait_until(lambda: house.client.post("/v1/search", json=asked).json().get("experiment") == experiment)
    for number in range(2, 6):
        answer = house.search(user=f"a-{number}", arm=f"{experiment}:{('control', 'treatment')[number % 2]}")
        assert answer["experiment"] == experiment
    house.search(user="a-5", arm=f"{experiment}:control")
    assert house.assigned("a-1") == []
    assert house.search(user="a-9")["experiment"] == ""
    assert house.search(arm=f"{experiment}:control")["experiment"] == "", "nobody is named"

    assert house.units(experiment) == {"control": 2, "treatment": 2}
    card = house.client.get(f"/v1/experiments/{experiment}").json()
    assert card["sample_ratio"]["mixed"] == 1, "who was sent to two arms counts in none"
