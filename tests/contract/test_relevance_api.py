"""An owner shapes relevance over HTTP: synonyms, rules, terms of the score, and the history of all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.contract.conftest import wait_until

SHOP = {"Clickloop-Collection": "owner-shop"}
DOCUMENTS = [
    {"id": "tv", "title": "Television 55", "text": "A large screen.", "brand": "acme", "sold": 100, "price": 900},
    {"id": "lcd", "title": "Flat panel", "text": "A panel for the wall.", "brand": "acme", "sold": 1, "price": 300},
    {
        "id": "net",
        "title": "Learning dotnet",
        "text": "A book on .NET for all.",
        "brand": "press",
        "sold": 5,
        "price": 30,
    },
    {"id": "fish", "title": "Fishing net", "text": "A net for fish.", "brand": "sea", "sold": 3, "price": 20},
    {"id": "cpp", "title": "Modern C++", "text": "A book on C++.", "brand": "press", "sold": 7, "price": 40},
    {"id": "radio", "title": "Radio", "text": "A radio with a screen.", "brand": "sea", "sold": 50, "price": 60},
]


@pytest.fixture(scope="module")
def shop(service: TestClient) -> TestClient:
    assert service.put("/v1/documents", json=DOCUMENTS, headers=SHOP).status_code == 200

    def ready() -> bool:
        served = service.get("/readyz").json()["collections"].get("owner-shop", {})
        return bool(served.get("version")) and served["behind"] == 0 and served["waiting"] == 0

    wait_until(ready)
    return service


@pytest.fixture(autouse=True)
def clean(shop: TestClient) -> Iterator[None]:
    """What a test says is withdrawn after it."""
    yield
    standing = shop.get("/v1/relevance", headers=SHOP).json()
    for path, name in (("synonyms", "synonyms"), ("rules", "rules"), ("ranking", "terms"), ("features", "features")):
        if standing[name]:
            put(shop, path, dict.fromkeys(standing[name]))
    wait_until(lambda: not search(shop, "screen", explain=True)["rules"])


def put(shop: TestClient, path: str, changes: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = shop.put(f"/v1/{path}", json=changes, params=params, headers=SHOP)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def search(shop: TestClient, query: str, **more: Any) -> dict[str, Any]:
    answer = shop.post("/v1/search", json={"query": query, "log": False, **more}, headers=SHOP)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def test_synonyms_are_found_by_words_and_counted(shop: TestClient) -> None:
    assert search(shop, "telly", skip=["meaning"])["total"] == 0
    told = put(
        shop, "synonyms", {"tv": {"words": ["telly", "television"]}, "lcd": {"words": ["lcd"], "to": ["flat panel"]}}
    )
    assert sorted(told["synonyms"]) == ["lcd", "tv"]
    wait_until(lambda: search(shop, "telly", skip=["meaning"])["total"] == 1)
    answer = search(shop, "telly", skip=["meaning"])
    assert (ids(answer), answer["did_you_mean"]) == (["tv"], "")
    assert ids(search(shop, "lcd", skip=["meaning"])) == ["lcd"]


def test_a_synonym_keeps_its_signs(shop: TestClient) -> None:
    put(shop, "synonyms", {"net": {"words": ["clr"], "to": [".net"]}, "cpp": {"words": ["cee", "c++"]}})
    wait_until(lambda: ids(search(shop, "clr", skip=["meaning"])) == ["net"])
    assert ids(search(shop, "cee", skip=["meaning"])) == ["cpp"]
    put(shop, "synonyms", {"net": {"words": [".net"], "to": ["radio"]}, "cpp": None})
    wait_until(lambda: "radio" in ids(search(shop, ".net", skip=["meaning"])))
    assert "radio" not in ids(search(shop, "net", skip=["meaning"]))


def test_a_rule_pins_hides_leads_and_tells(shop: TestClient) -> None:
    rule = {
        "when": {"queries": ["screen"]},
        "pin": [{"id": "fish", "rank": 1}, {"id": "gone", "rank": 2}],
        "hide": ["radio"],
        "redirect": "/screens",
        "banner": {"text": "All about screens"},
    }
    put(shop, "rules", {"screens": rule}, note="campaign")
    wait_until(lambda: search(shop, "screen")["redirect"] == "/screens")
    answer = search(shop, "Screen", skip=["meaning"], facets=["brand"], explain=True)
    assert [(hit["id"], hit["rule"]) for hit in answer["hits"]] == [("fish", "screens"), ("tv", "")]
    assert answer["banners"] == [{"text": "All about screens"}]
    assert answer["rules"] == [{"name": "screens", "effects": ["pin", "hide", "redirect", "banner"], "problem": ""}]
    assert answer["total"] == 1
    assert answer["facets"]["brand"] == [{"value": "acme", "count": 1}]
    assert search(shop, "panel")["banners"] == []


def test_pages_of_a_list_with_pins_make_one_list(shop: TestClient) -> None:
    put(shop, "rules", {"all": {"pin": [{"id": "fish", "rank": 2}, {"id": "cpp", "rank": 4}]}})
    wait_until(lambda: ids(search(shop, "screen"))[1] == "fish")
    for query in ("screen", "", "book panel radio"):
        whole = ids(search(shop, query, limit=6))
        assert [whole.index("fish"), whole.index("cpp")] == [1, 3]
        assert [ids(search(shop, query, limit=1, offset=at))[0] for at in range(len(whole))] == whole


def test_what_the_search_filters_is_not_pinned_and_sorted_lists_have_no_pins(shop: TestClient) -> None:
    put(shop, "rules", {"all": {"pin": [{"id": "fish", "rank": 1}]}})
    wait_until(lambda: ids(search(shop, "screen"))[0] == "fish")
    assert "fish" not in ids(search(shop, "screen", filters={"brand": "acme"}))
    assert ids(search(shop, "", sort="price"))[:2] == ["fish", "net"]
    assert ids(search(shop, "", sort="-price"))[0] == "tv"


def test_boosts_terms_and_filters_move_and_narrow(shop: TestClient) -> None:
    first = ids(search(shop, "book"))[:2]
    put(shop, "rules", {"r": {"when": {"queries": ["book"]}, "boost": [{"filter": {"id": first[1]}, "by": 20}]}})
    wait_until(lambda: ids(search(shop, "book"))[:2] == first[::-1])
    hit = search(shop, "book", explain=True)["hits"][0]
    assert hit["scores"]["owner"] == 20

    put(shop, "rules", {"r": {"when": {"queries": ["book"]}, "filter": {"brand": "press"}}})
    wait_until(lambda: set(ids(search(shop, "book"))) == {"net", "cpp"})

    put(shop, "ranking", {"sold": {"kind": "popularity", "field": "sold", "full": 100, "by": 50}})
    wait_until(lambda: ids(search(shop, ""))[0] == "tv")
    assert ids(search(shop, "")) == ["tv", "radio", "cpp", "net", "fish", "lcd"]
    assert ids(search(shop, "screen book"))[0] == "tv"


def test_a_rule_may_depend_on_what_the_search_says(shop: TestClient) -> None:
    put(shop, "rules", {"at": {"when": {"attributes": {"country": "at"}}, "pin": [{"id": "cpp"}]}})
    wait_until(lambda: ids(search(shop, "screen", attributes={"country": "at"}))[0] == "cpp")
    assert ids(search(shop, "screen", attributes={"country": "de"}))[0] != "cpp"


def test_pages_of_instantsearch_are_told(shop: TestClient) -> None:
    put(shop, "rules", {"s": {"when": {"queries": ["screen"]}, "redirect": "/screens", "banner": {"text": "Hi"}}})
    wait_until(lambda: search(shop, "screen")["redirect"] == "/screens")
    asked = {"requests": [{"indexName": "shop", "query": "screen"}]}
    result = shop.post("/1/indexes/*/queries", json=asked, headers=SHOP).json()["results"][0]
    assert result["userData"] == [{"text": "Hi"}]
    assert result["renderingContent"] == {"redirect": {"url": "/screens"}}


def test_impressions_say_what_was_put_there(shop: TestClient) -> None:
    put(shop, "rules", {"all": {"pin": [{"id": "fish", "rank": 1}]}})
    wait_until(lambda: ids(search(shop, "screen"))[0] == "fish")
    answer = shop.post("/v1/search", json={"query": "screen", "user": "u1"}, headers=SHOP).json()
    event = {"type": "click", "query_id": answer["query_id"], "document_id": "fish"}
    assert shop.post("/v1/events", json=event, headers=SHOP).status_code == 202
    wanted = {"type": "click", "query_id": answer["query_id"], "document_id": "radio"}
    assert shop.post("/v1/events", json=wanted, headers=SHOP).status_code == 202

    def pairs() -> list[str]:
        told = shop.get("/v1/reports/pairs", params={"by": "volume"}, headers=SHOP).json()
        return [one["document_id"] for one in told["pairs"]]

    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and "radio" not in pairs():
        time.sleep(0.1)
    assert "fish" not in pairs()


def test_history_names_who_and_why_and_leads_back(shop: TestClient) -> None:
    first = put(shop, "rules", {"r": {"hide": ["radio"]}}, note="sold out")
    assert (first["actor"], first["note"], first["serves"]) == ("local", "sold out", True)
    put(shop, "rules", {"r": {"hide": ["tv"]}})
    path = f"/v1/relevance/revisions/{first['revision']}"
    assert shop.get(path, headers=SHOP).json()["rules"] == {"r": shop_rule(shop, first["revision"])}
    again = shop.post(f"{path}/serve", json={"note": "it is back"}, headers=SHOP).json()
    assert again["rules"]["r"]["hide"] == ["radio"]
    history = shop.get("/v1/relevance/revisions", params={"limit": 2}, headers=SHOP).json()
    assert history["serves"] == again["revision"] == history["revisions"][0]["revision"]
    assert shop.get("/v1/relevance/revisions/999999", headers=SHOP).status_code == 404


def shop_rule(shop: TestClient, revision: int) -> dict[str, Any]:
    told: dict[str, Any] = shop.get(f"/v1/relevance/revisions/{revision}", headers=SHOP).json()["rules"]["r"]
    assert told["hide"] == ["radio"]
    return told


def test_features_are_kept_for_training_and_change_nothing_before(shop: TestClient) -> None:
    before = ids(search(shop, "screen book"))
    told = put(shop, "features", {"price": {}, "brand": {"values": 3}})
    assert told["features"] == {"brand": {"values": 3}, "price": {"values": 12}}
    assert ids(search(shop, "screen book")) == before


def test_a_draft_serves_in_its_arm_alone(shop: TestClient) -> None:
    draft = put(shop, "rules", {"r": {"pin": [{"id": "fish", "rank": 1}]}}, draft=True)
    assert draft["serves"] is False
    plan = {
        "name": "pins",
        "kind": "ab",
        "planned_searches": 1000,
        "min_days": 0,
        "max_days": 9,
        "arms": [
            {"name": "now", "version": "champion"},
            {"name": "pinned", "version": "champion", "settings": {"relevance": draft["revision"]}},
        ],
    }
    made = shop.post("/v1/experiments", json=plan, headers=SHOP)
    assert made.status_code == 201, made.text
    experiment = made.json()["id"]
    assert shop.post(f"/v1/experiments/{experiment}/start", headers=SHOP).status_code == 200
    asked = {"query": "screen", "arm": f"{experiment}:pinned"}
    wait_until(lambda: shop.post("/v1/search", json=asked, headers=SHOP).status_code == 200)
    assert ids(search(shop, "screen", arm=f"{experiment}:pinned"))[0] == "fish"
    assert ids(search(shop, "screen", arm=f"{experiment}:now"))[0] != "fish"
    assert shop.post(f"/v1/experiments/{experiment}/stop", headers=SHOP).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("synonyms", {"a": {"words": ["one"]}}, "a.words"),
        ("rules", {"a": {"filter": {"bland": "x"}}}, "a.filter.bland"),
        ("rules", {"a": {"pin": [{"id": "x", "rank": 0}]}}, "a.pin[0].rank"),
        ("rules", {"a": {"pins": []}}, "a.pins"),
        ("ranking", {"a": {"kind": "age", "field": "price", "half_life_days": 1}}, "a.field"),
        ("ranking", {"a": {"kind": "magic"}}, "a"),
        ("features", {"nowhere": {}}, "nowhere"),
    ],
)
def test_what_makes_no_sense_changes_nothing_and_names_its_place(
    shop: TestClient, path: str, body: dict[str, Any], place: str
) -> None:
    answer = shop.put(f"/v1/{path}", json=body, headers=SHOP)
    assert answer.status_code == 422
    assert place in answer.json()["errors"][0]["field"]
    assert shop.get("/v1/rules", headers=SHOP).json()["rules"] == {}


def test_with_the_collection_its_settings_go(service: TestClient) -> None:
    other = {"Clickloop-Collection": "owner-gone"}
    service.put("/v1/documents", json=DOCUMENTS[:1], headers=other)
    service.put("/v1/synonyms", json={"a": {"words": ["one", "two"]}}, headers=other)
    assert service.delete("/v1/collections/owner-gone").status_code == 200
    assert service.get("/v1/relevance", headers=other).json()["synonyms"] == {}
