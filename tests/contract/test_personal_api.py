"""A personal order over HTTP: off until an owner wants it, each person's own, and erased with the person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.personal.tastes import Tastes
from tests.contract.conftest import wait_until

SHOP = {"Clickloop-Collection": "personal-shop"}
KINDS = [chr(letter) * 2 + "lamp" for letter in range(ord("a"), ord("z") + 1)]
FORMS = ("high", "broad", "small")
DOCUMENTS = [
    {"id": f"{brand}-{kind}-{form}", "title": f"{kind} {form} {brand}", "text": "A lamp.", "brand": brand, "price": 9}
    for form in FORMS
    for kind in KINDS
    for brand in ("sol", "luna")
]
TERM = {"kind": "personal", "fields": ["brand"], "by": 5, "max_places": 4}


def search(shop: TestClient, query: str, **more: Any) -> dict[str, Any]:
    answer = shop.post("/v1/search", json={"query": query, "explain": True, **more}, headers=SHOP)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def choose_luna(shop: TestClient, user: str) -> None:
    """Let somebody look for lamps for a while and click those of one brand alone."""
    for kind in KINDS:
        answer = search(shop, kind, user=user, limit=6, skip=["personal"])
        for name in ids(answer):
            event = {"type": "click", "query_id": answer["query_id"], "document_id": name, "user": user}
            if name.startswith("luna"):
                assert shop.post("/v1/events", json=event, headers=SHOP).status_code == 202


@pytest.fixture(scope="module")
def shop(service: TestClient) -> Iterator[TestClient]:
    assert service.put("/v1/documents", json=DOCUMENTS, headers=SHOP).status_code == 200

    def ready() -> bool:
        served = service.get("/readyz").json()["collections"].get("personal-shop", {})
        return bool(served.get("version")) and served["behind"] == 0 and served["waiting"] == 0

    wait_until(ready)
    yield service
    service.put("/v1/ranking", json={"personal": None}, headers=SHOP)


def test_it_is_off_then_each_persons_own_and_goes_with_the_person(shop: TestClient) -> None:
    asked = {"limit": 12, "log": False}
    for user in ("luna-lover", "luna-too"):
        choose_luna(shop, user)
    before = search(shop, "lamp", user="luna-lover", **asked)
    assert (before["personal"], {hit["scores"]["personal"] for hit in before["hits"]}) == (None, {0.0})

    assert shop.put("/v1/ranking", json={"personal": TERM}, headers=SHOP).status_code == 200
    wait_until(lambda: bool((search(shop, "lamp", user="luna-lover", **asked)["personal"] or {}).get("fields")))
    own, plain = search(shop, "lamp", user="luna-lover", **asked), search(shop, "lamp", user="someone", **asked)
    assert own["personal"]["fields"] == ["brand"]
    assert "luna" not in str(own["personal"])
    assert ids(own) != ids(plain)
    stood = ids(search(shop, "lamp", user="someone", limit=50, log=False))
    assert all(abs(stood.index(name) - place) <= 4 for place, name in enumerate(ids(own)))
    lifts = {hit["id"][:4]: hit["scores"]["personal"] for hit in reversed(own["hits"])}
    assert lifts["luna"] > 0
    assert plain["personal"] == {"choices": 0, "meaning": False, "fields": []}

    skipped = search(shop, "lamp", user="luna-lover", skip=["personal"], **asked)
    assert (ids(skipped), skipped["personal"], skipped["skipped"]) == (ids(plain), None, ["personal"])
    for more in ({"sort": "price"}, {"cursor": "*"}):
        assert search(shop, "lamp", user="luna-lover", **asked, **more)["personal"] is None
    assert search(shop, "lamp", **asked)["personal"] is None

    assert shop.delete("/v1/users/luna-lover", headers=SHOP).status_code == 200
    wait_until(lambda: search(shop, "lamp", user="luna-lover", **asked)["personal"]["choices"] == 0)
    assert ids(search(shop, "lamp", user="luna-lover", **asked)) == ids(search(shop, "lamp", user="someone", **asked))
    assert search(shop, "lamp", user="luna-too", **asked)["personal"]["choices"] > 0


def test_its_pages_make_one_list(shop: TestClient) -> None:
    choose_luna(shop, "pager")
    assert shop.put("/v1/ranking", json={"personal": TERM}, headers=SHOP).status_code == 200
    wait_until(lambda: bool((search(shop, "lamp", user="pager", log=False)["personal"] or {}).get("fields")))
    first = search(shop, "lamp", user="pager", limit=4)
    whole = ids(search(shop, "lamp", user="pager", limit=12, log=False))
    rest = [search(shop, "lamp", user="pager", limit=4, offset=offset, query_id=first["query_id"]) for offset in (4, 8)]
    assert [name for page in (first, *rest) for name in ids(page)] == whole


@pytest.mark.parametrize(
    ("term", "place"),
    [
        ({"mine": {"kind": "personal"}}, "mine"),
        ({"personal": {"kind": "personal", "fields": ["price"]}}, "personal.fields[0]"),
        ({"personal": {"kind": "personal", "max_places": 99}}, "personal.max_places"),
    ],
)
def test_what_makes_no_sense_names_its_place(shop: TestClient, term: dict[str, Any], place: str) -> None:
    answer = shop.put("/v1/ranking", json=term, headers=SHOP)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == place


def test_a_search_goes_on_where_the_store_does_not_tell(shop: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.put("/v1/ranking", json={"personal": TERM}, headers=SHOP).status_code == 200
    wait_until(lambda: search(shop, "lamp", user="somebody", log=False)["personal"] is not None)
    monkeypatch.setattr(Tastes, "of", lambda *_given, **_named: None)
    answer = search(shop, "lamp", user="somebody", log=False)
    assert (len(answer["hits"]), answer["skipped"], answer["personal"]) == (10, ["personal"], None)
    assert search(shop, "lamp", log=False)["skipped"] == []


def test_a_draft_of_it_acts_in_its_arm_alone(shop: TestClient) -> None:
    assert shop.put("/v1/ranking", json={"personal": None}, headers=SHOP).status_code == 200
    draft = shop.put("/v1/ranking", json={"personal": TERM}, params={"draft": True}, headers=SHOP).json()
    arms = [
        {"name": "now", "version": "champion"},
        {"name": "own", "version": "champion", "settings": {"relevance": draft["revision"]}},
    ]
    plan = {"name": "own order", "kind": "ab", "planned_searches": 1000, "min_days": 0, "max_days": 9, "arms": arms}
    experiment = shop.post("/v1/experiments", json=plan, headers=SHOP).json()["id"]
    assert shop.post(f"/v1/experiments/{experiment}/start", headers=SHOP).status_code == 200
    asked = {"query": "lamp", "arm": f"{experiment}:own"}
    wait_until(lambda: shop.post("/v1/search", json=asked, headers=SHOP).status_code == 200)
    told = {arm: search(shop, "lamp", user="luna-too", arm=f"{experiment}:{arm}")["personal"] for arm in ("now", "own")}
    wait_until(lambda: search(shop, "lamp", user="luna-too", log=False)["personal"] is None)
    assert told["own"] is not None
    assert shop.post(f"/v1/experiments/{experiment}/stop", headers=SHOP).status_code == 200
